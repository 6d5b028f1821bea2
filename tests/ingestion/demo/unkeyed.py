"""A stand-in for the log's surrogates: the same value for the same key, without a secret."""

import hashlib


def unkeyed(ns: str, key: str) -> str:
    """32 hex characters for an identifier."""
    return hashlib.sha256(f"{ns}\0{key}".encode()).hexdigest()[:32]
