"""The keys of personal data: one per stream and retention class, wrapped by a master key, destroyed for good."""

from domain.keys.errors import KeysBusy, KeysError
from domain.keys.master import Master, create_master, master_from, read_master
from domain.keys.opening import has_keys, master_beside, open_keys
from domain.keys.sealing import (
    CLASSES,
    Keys,
    Pair,
    Sealed,
    Unsealed,
    open_all,
    open_one,
    pairs_in,
    seal_all,
    seal_one,
)
from domain.keys.store import KeyStore
from domain.keys.tokens import blind, fingerprint_key, surrogate

__all__ = [
    "CLASSES",
    "KeyStore",
    "Keys",
    "KeysBusy",
    "KeysError",
    "Master",
    "Pair",
    "Sealed",
    "Unsealed",
    "blind",
    "create_master",
    "fingerprint_key",
    "has_keys",
    "master_beside",
    "master_from",
    "open_all",
    "open_keys",
    "open_one",
    "pairs_in",
    "read_master",
    "seal_all",
    "seal_one",
    "surrogate",
]
