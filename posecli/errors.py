"""The errors a user can cause. The command line prints each as one line and exits with its code."""


class PosecliError(Exception):
    """Something the user can act on: the message says what, where, and what to do. Exit code 1."""

    exit_code = 1


class UsageError(PosecliError):
    """The command was given options that cannot work together or a value that cannot be. Exit code 2."""

    exit_code = 2
