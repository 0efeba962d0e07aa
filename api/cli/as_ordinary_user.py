"""A program of its own, run by path in front of PostgreSQL's when we are root, which PostgreSQL refuses to be.

`python -IS as_ordinary_user.py PROGRAM [ARGUMENT ...]` enters a new user namespace that knows one user, "nobody", who
is the caller seen from outside, and becomes the program there: same process id, same files, no privilege left
(user_namespaces(7)). Ends with a sentence and status 1 where the kernel has no such namespace to give.
"""

from __future__ import annotations

import ctypes
import os
import sys

CLONE_NEWUSER = 0x10000000
NOBODY = 65534


def enter_namespace() -> None:
    """Raises OSError when the kernel refuses, AttributeError when it does not know user namespaces."""
    uid, gid = os.geteuid(), os.getegid()
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWUSER):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    for name, line in (("setgroups", "deny"), ("uid_map", f"{NOBODY} {uid} 1"), ("gid_map", f"{NOBODY} {gid} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(line)


def main(command: list[str]) -> None:
    program = command[0]
    try:
        enter_namespace()
        os.execv(program, command)  # noqa: S606  # becoming the program is the purpose
    except (OSError, AttributeError) as error:
        sys.exit(f"{os.path.basename(program)}: cannot run in a user namespace: {error}")


if __name__ == "__main__":
    main(sys.argv[1:])
