"""The ``logkit`` command: parse arguments, call one function, map errors to exit codes."""
