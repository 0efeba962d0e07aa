"""`python -m api.cli` is `daybook`."""

from . import main

main()
