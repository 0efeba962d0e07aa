"""Which release this is: for the package, `daybook --version` and `/openapi.json`."""

VERSION = "0.1.0"
