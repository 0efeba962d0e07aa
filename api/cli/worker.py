"""One worker of `daybook serve`: a program of its own, which loads the application and not the command line.

Arguments: the process to end with, the descriptors of the socket to accept from, of the pipe to report through and of
what says how many connections each worker has, and the worker's place in that.
"""

from __future__ import annotations

import sys

from api.background.orphans import end_with


def main() -> None:
    """Serve until told to stop."""
    supervisor, listener, pipe, counts, place = (int(argument) for argument in sys.argv[1:])
    end_with(supervisor)
    # only now: to load it takes seconds, in which the supervisor may be killed
    from .worker_server import serve

    serve(listener, pipe, counts, place)


if __name__ == "__main__":
    main()
