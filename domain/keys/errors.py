"""What can be wrong with keys, each told in one sentence for people: what, where, what to do."""


class KeysError(Exception):
    """The keys cannot do what was asked; the message is one sentence for people."""


class KeysBusy(KeysError):
    """The key store cannot be reached or is held by another process: worth another try."""


class MasterExists(KeysError):
    """There is a master key already where one was to be made."""
