"""Makes the secrets of keys and sessions, and the hashes under which they are stored.

A secret has 256 random bits, so that a plain SHA-256 hash cannot be turned back; a password's hash is argon2id.
"""

import hashlib
import hmac
import re
import secrets

_KEY_START = "usk_"
_PREFIX_CHARACTERS = 8
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
_KEY = re.compile(rf"{_KEY_START}[a-z0-9]{{{_PREFIX_CHARACTERS}}}_[A-Za-z0-9_-]{{43}}")


def make_key() -> tuple[str, str]:
    """Return a new key's prefix and the whole key, such as `usk_k3fm…` and `usk_k3fm…_SECRET`."""
    prefix = _KEY_START + "".join(secrets.choice(_ALPHABET) for _ in range(_PREFIX_CHARACTERS))
    return prefix, f"{prefix}_{secrets.token_urlsafe(32)}"


def find_prefix(token: str) -> str | None:
    """Return the prefix of a key, or None for what has not the form of a key."""
    if _KEY.fullmatch(token) is None:
        return None
    return token[: len(_KEY_START) + _PREFIX_CHARACTERS]


def make_session_token() -> str:
    return secrets.token_urlsafe(32)


def hash_token(token: str) -> str:
    """Return the SHA-256 hash as 64 hexadecimal digits."""
    return hashlib.sha256(token.encode()).hexdigest()


def is_same(one: str, other: str) -> bool:
    """Compare in a time that does not depend on where the two differ."""
    return hmac.compare_digest(one.encode(), other.encode())
