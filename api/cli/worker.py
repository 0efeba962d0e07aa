"""One worker of `daybook serve`: a program of its own, which loads the application and not the command line.

Arguments: the process to end with, and the descriptors of the socket to accept from and of the pipe to report through.
"""

from __future__ import annotations

import sys

from api.background.orphans import end_with


def main() -> None:
    """Serve until told to stop."""
    supervisor, listener, pipe = (int(argument) for argument in sys.argv[1:])
    end_with(supervisor)
    # only now: to load it takes seconds, in which the supervisor may be killed
    from .worker_server import serve

    serve(listener, pipe)


if __name__ == "__main__":
    main()
