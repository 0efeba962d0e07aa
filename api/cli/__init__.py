"""The command line. Nothing stands here: a worker, which lives in this package too, need not load the commands."""
