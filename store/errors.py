"""The roots of every error that a person can do something about; its text is a sentence for them."""


class KneewatchError(Exception):
    """Something was refused or is not there; the command ends with exit code 1."""


class WrongUseError(KneewatchError):
    """A command, a setting or a value is not one that is allowed; the command ends with exit code 2."""
