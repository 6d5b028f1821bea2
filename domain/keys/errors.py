"""What can be wrong with keys, each told in one sentence for people: what, where, what to do."""

FULL = ("disk is full", "disk i/o error", "could not extend file")
"""What databases say that cannot make a file longer; a limit on its size looks like a disk that fails."""


class KeysError(Exception):
    """The keys cannot do what was asked; the message is one sentence for people."""


class KeysBusy(KeysError):
    """The key store cannot be reached or is held by another process: worth another try."""


class MasterExists(KeysError):
    """There is a master key already where one was to be made."""
