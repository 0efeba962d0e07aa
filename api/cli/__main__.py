"""`python -m api.cli` is `daybook`."""

from .program import main

main()
