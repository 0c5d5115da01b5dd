"""An article fetched from a site's own host, and from nowhere else.

Usage::

    body = fetch("https://blog.example/bread", "https://blog.example", Fetch(allowed=True))

The address comes from outside, so it is not trusted: only the site's own host and port, only addresses of the
public Internet (looked up once and then connected to as they are, so that a second look-up cannot differ), the
same after every redirect, within limits of time, size and type.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import time
from typing import Final
from urllib.parse import SplitResult, urljoin, urlsplit

from spamfilter.errors import InputError
from spamfilter.service.config import Fetch

__all__ = ["NotFetched", "fetch", "is_public"]

_TYPES: Final = ("text/html", "application/xhtml+xml", "text/plain")
_REDIRECTS: Final = (301, 302, 303, 307, 308)
_PORTS: Final = {"http": 80, "https": 443}
_CHUNK: Final = 65_536
# Prefixes that carry an IPv4 address inside (RFC 6052 and its local-use sibling): the network behind decides.
_EMBEDDING: Final = tuple(map(ipaddress.ip_network, ("64:ff9b::/96", "64:ff9b:1::/48")))
_HEADERS: Final = {
    "User-Agent": "comment-spamfilter (article look-up for comment moderation)",
    "Accept": "text/html, application/xhtml+xml, text/plain;q=0.5",
    "Accept-Encoding": "identity",
    "Connection": "close",
}


class NotFetched(InputError):
    """The article was not fetched; the message says why."""


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the public Internet."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is not None:
            return is_public(str(inner))
        if any(ip in network for network in _EMBEDDING):
            return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def fetch(url: str, site: str, limits: Fetch) -> bytes:
    """The body at ``url``, which must lie on the host of ``site``.  Raises NotFetched."""
    until = time.monotonic() + limits.seconds
    for _ in range(limits.redirects + 1):
        parts = _allowed(url, site)
        try:
            status, location, body = _get(parts, limits, until)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise NotFetched(f"{parts.hostname} did not answer as expected: {error}") from error
        if status not in _REDIRECTS:
            if status != 200:
                raise NotFetched(f"{parts.hostname} answered with status {status}")
            return body
        url = urljoin(url, location or "")
    raise NotFetched(f"more than {limits.redirects} redirects")


def _allowed(url: str, site: str) -> SplitResult:
    """``url`` in parts, if it lies on the site's own host and port."""
    try:
        parts, own = urlsplit(url), urlsplit(site)
        port, own_port = _port(parts), _port(own)
    except ValueError as error:
        raise NotFetched(f"not an address: {error}") from error
    if parts.scheme not in _PORTS or not parts.hostname or parts.username is not None or parts.password is not None:
        raise NotFetched("only http and https addresses without user name are fetched")
    if _bare(parts.hostname) != _bare(own.hostname or ""):
        raise NotFetched(f"{parts.hostname} is not the site's own host")
    if port != own_port and port not in _PORTS.values():
        raise NotFetched(f"port {port} is not the site's own")
    return parts


def _bare(host: str) -> str:
    return host.lower().rstrip(".").removeprefix("www.")


def _port(parts: SplitResult) -> int:
    return parts.port or _PORTS.get(parts.scheme, 0)


def _resolve(host: str, port: int, limits: Fetch) -> str:
    """One IP address of ``host``; all of them must be public."""
    found = [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    if not limits.private_addresses and not all(map(is_public, found)):
        raise NotFetched(f"{host} has an address that is not on the public Internet")
    return found[0]


def _get(parts: SplitResult, limits: Fetch, until: float) -> tuple[int, str | None, bytes]:
    host, port = parts.hostname or "", _port(parts)
    connection = _Pinned(host, port, _resolve(host, port, limits), parts.scheme == "https", until)
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("GET", target.replace(" ", "%20"), headers=_HEADERS)
        response = connection.getresponse()
        if response.status != 200:
            return response.status, response.getheader("Location"), b""
        kind = (response.getheader("Content-Type") or "").partition(";")[0].strip().lower()
        if kind not in _TYPES:
            raise NotFetched(f"{host} sent {kind or 'no content type'}, not a page")
        return 200, None, _body(response, connection, limits, until)
    finally:
        connection.close()


def _body(response: http.client.HTTPResponse, connection: _Pinned, limits: Fetch, until: float) -> bytes:
    out = bytearray()
    while chunk := response.read1(_CHUNK):
        out += chunk
        if len(out) > limits.max_bytes:
            raise NotFetched(f"larger than {limits.max_bytes:,} bytes")
        connection.hurry(until)
    return bytes(out)


class _Pinned(http.client.HTTPConnection):
    """A connection to an IP address that was vetted, under the host's name."""

    def __init__(self, host: str, port: int, address: str, tls: bool, until: float) -> None:
        super().__init__(host, port)
        self._address, self._tls, self._until = address, tls, until

    def connect(self) -> None:
        """Connect to the vetted address."""
        self.sock = socket.create_connection((self._address, self.port), timeout=_left(self._until))
        if self._tls:
            self.sock = ssl.create_default_context().wrap_socket(self.sock, server_hostname=self.host)

    def hurry(self, until: float) -> None:
        """Let the next read take no longer than what is left of the time."""
        left = _left(until)
        if self.sock is not None:
            self.sock.settimeout(left)


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise NotFetched("it took too long")
    return left
