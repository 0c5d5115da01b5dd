"""Keys of sites and passwords of moderators: made, kept as digests, compared.

Usage::

    key = new_key()                              # 12 letters and digits
    ring = KeyRing({digest(key): "blog.example"})
    ring.site_of(key)                            # "blog.example", or None
    stored = hash_password("correct horse …"); password_matches("correct horse …", stored)
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from typing import Final

from spamfilter.errors import ConfigError

__all__ = ["KEY_LENGTH", "KeyRing", "digest", "hash_password", "new_key", "password_matches"]

#: WordPress's plugin takes only keys of exactly this length for possible.
KEY_LENGTH: Final = 12
# Lower-case letters and digits only: old clients send the key as a host name, where case is lost.
_ALPHABET: Final = "abcdefghijklmnopqrstuvwxyz0123456789"
# RFC 7914's numbers for interactive logins: 16 MB and some 50 ms a try.
_SCRYPT_N: Final = 2**14
_SCRYPT_R: Final = 8
_SCRYPT_P: Final = 1
_SALT_BYTES: Final = 16
_PREFIX: Final = "sha256:"


def new_key() -> str:
    """A fresh key for a site (62 bits)."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(KEY_LENGTH))


def digest(key: str) -> str:
    """What is kept of a key: "sha256:…"; what has that form already is left as it is."""
    return key if key.startswith(_PREFIX) else _PREFIX + hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()


class KeyRing:
    """Which key belongs to which site; keys are held as digests."""

    def __init__(self, sites: Mapping[str, str]) -> None:
        self._sites = dict(sites)

    def site_of(self, key: str | None) -> str | None:
        """The name of the site that ``key`` belongs to."""
        # A digest sent in the place of a key must not pass for it.
        return self._sites.get(digest(key)) if key and not key.startswith(_PREFIX) else None


def hash_password(password: str) -> str:
    """What the configuration file keeps of a password: "scrypt$N$r$p$salt$hash"."""
    salt = secrets.token_bytes(_SALT_BYTES)
    parts = (
        _SCRYPT_N,
        _SCRYPT_R,
        _SCRYPT_P,
        _text(salt),
        _text(_scrypt(password, salt, _SCRYPT_N, _SCRYPT_R, _SCRYPT_P)),
    )
    return "scrypt$" + "$".join(map(str, parts))


def password_matches(password: str, stored: str) -> bool:
    """Whether ``password`` is the one that was hashed.  Raises ConfigError for what is no such hash."""
    try:
        kind, n, r, p, salt, wanted = stored.split("$")
        if kind != "scrypt":
            raise ValueError(kind)
        found = _scrypt(password, base64.b64decode(salt), int(n), int(r), int(p))
        return hmac.compare_digest(found, base64.b64decode(wanted))
    except ValueError as error:
        raise ConfigError(
            f"a moderator's password is not a hash ({error}); make one with: spamfilter serve --password"
        ) from error


def _scrypt(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=n, r=r, p=p, maxmem=128 * n * r * 2)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
