"""Signing in: passwords tried slowly, sessions in cookies, forms that only our own pages can send.

Usage::

    session = sessions.of(request)                 # Session or None
    token = await sessions.sign_in(request, name, password)
    sessions.check(session, form)                  # raises Problem
"""

from __future__ import annotations

import asyncio
import hmac
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from spamfilter.service.config import Moderator
from spamfilter.service.desk import Desk
from spamfilter.service.forms import Form
from spamfilter.service.keys import hash_password, password_matches
from spamfilter.service.problems import Problem

__all__ = ["Session", "Sessions"]

_COOKIE: Final = "spamfilter_session"
#: Wrong passwords from one address for one name before it has to wait, and for how many seconds.
_TRIES: Final = 6
_WAIT: Final = 300.0
#: Addresses that are remembered.
_MOST: Final = 5_000


@dataclass(frozen=True, slots=True)
class Session:
    """Who is signed in, and the token that their forms carry."""

    person: Moderator
    csrf: str


class Sessions:
    """The sessions of one service."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._failures: OrderedDict[tuple[str, str], list[float]] = OrderedDict()
        self._turn = asyncio.Semaphore(1)  # scrypt is slow on purpose: one at a time leaves the other core free
        self._nobody = hash_password("")

    def of(self, request: Request) -> Session | None:
        """The session of a request."""
        token = request.cookies.get(_COOKIE)
        found = self._desk.journal.session(token) if token else None
        person = self._desk.settings.moderators.get(found[0]) if found else None
        return Session(person, found[1]) if person is not None and found is not None else None

    async def sign_in(self, request: Request, name: str, password: str) -> str | None:
        """A token for the cookie; None for a wrong name or password.  Raises Problem after too many."""
        at = (request.client.host if request.client else "", name[:100])
        recent = [t for t in self._failures.get(at, []) if t > time.monotonic() - _WAIT]
        if len(recent) >= _TRIES:
            raise Problem("forbidden", f"too many wrong passwords; wait {_WAIT / 60:.0f} minutes")
        person = self._desk.settings.moderators.get(name)
        async with self._turn:
            # A name that does not exist takes as long as one that does.
            right = await asyncio.to_thread(
                password_matches, password[:1000], person.password if person else self._nobody
            )
        if person is None or not right:
            self._failures[at] = [*recent, time.monotonic()]
            while len(self._failures) > _MOST:
                self._failures.popitem(last=False)
            return None
        self._failures.pop(at, None)
        hours = self._desk.settings.session_hours
        return await self._desk.ledger.call(lambda: self._desk.journal.open_session(name, hours * 3600))

    async def sign_out(self, request: Request) -> None:
        """End the session of a request."""
        token = request.cookies.get(_COOKIE)
        if token:
            await self._desk.ledger.call(lambda: self._desk.journal.close_session(token))

    def set_cookie(self, request: Request, response: Response, token: str | None) -> None:
        """Give the browser the token, or take it away."""
        secure = self._desk.settings.secure_cookies or request.url.scheme == "https"
        age = int(self._desk.settings.session_hours * 3600) if token else 0
        response.set_cookie(
            _COOKIE, token or "", max_age=age, httponly=True, secure=secure, samesite="strict", path="/"
        )

    @staticmethod
    def check(session: Session, form: Form) -> None:
        """Whether a form comes from one of our own pages.  Raises Problem."""
        if not hmac.compare_digest((form.get("csrf") or "").encode(), session.csrf.encode()):
            raise Problem("forbidden", "this form is too old or not from here; load the page again")
