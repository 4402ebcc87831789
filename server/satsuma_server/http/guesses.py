"""Limits how many wrong tokens may be tried from one address.

Several people may share an address, behind a proxy that is not in `trusted_proxies` or in one office. So a limit by
address alone would let one of them lock all others out. It does not apply to a token that was right from that address
before: whoever works with the collector goes on working, and only those who begin meanwhile have to wait.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable

from starlette.types import Scope

from satsuma_server.errors import GuessingError
from satsuma_server.identity.link_rate import network_of
from satsuma_server.settings import Settings

from .addresses import address_of

MOST_GUESSES = 10
"""How many different wrong tokens one address may send within `GUESS_SECONDS`."""

GUESS_SECONDS = 300
MOST_ADDRESSES = 10_000
"""How many addresses are remembered. Beyond that, those seen longest ago are forgotten."""

MOST_PROVEN = 8
"""How many right tokens are remembered of an address."""

logger = logging.getLogger("satsuma.auth")


class Guesses:
    """Counts the wrong tokens of each address, one /64 network of IPv6 being one address.

    The same wrong token counts once, because a program that was not told of a new token sends the old one again and
    again, and guesses nothing by that. Tokens are remembered as digests, with a key of this process.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._wrong: OrderedDict[str, dict[bytes, float]] = OrderedDict()
        self._proven: OrderedDict[str, dict[bytes, None]] = OrderedDict()

    def wait(self, address: str, token: str) -> int:
        """Return the seconds until `address` may try `token`; 0 for now."""
        network, digest = network_of(address), self._digest(token)
        recent = self._recent(network)
        if len(recent) < MOST_GUESSES or digest in self._proven.get(network, ()):
            return 0
        return max(1, round(min(recent.values()) + GUESS_SECONDS - self._clock()))

    def note(self, address: str, token: str, *, right: bool) -> None:
        """Remember whether a token was right."""
        network, digest = network_of(address), self._digest(token)
        if right:
            _remember(self._proven, network, {**self._proven.get(network, {}), digest: None}, MOST_PROVEN)
            return
        recent = self._recent(network)
        if len({*recent, digest}) == MOST_GUESSES > len(recent):
            logger.warning(
                "too many wrong tokens from one address; if it is your proxy's, name it in trusted_proxies",
                extra={"address": address},
            )
        _remember(self._wrong, network, {**recent, digest: self._clock()}, MOST_GUESSES)

    def _recent(self, network: str) -> dict[bytes, float]:
        since = self._clock() - GUESS_SECONDS
        return {digest: at for digest, at in self._wrong.get(network, {}).items() if at > since}

    def _digest(self, token: str) -> bytes:
        return hashlib.blake2b(token.encode(errors="replace"), key=self._key, digest_size=16).digest()


def _remember[V](known: OrderedDict[str, dict[bytes, V]], network: str, entries: dict[bytes, V], most: int) -> None:
    known[network] = dict(list(entries.items())[-most:])
    known.move_to_end(network)
    while len(known) > MOST_ADDRESSES:
        known.popitem(last=False)


class GuessLimit:
    """Examines the Authorization header of requests whose answer reveals whether the token in it is right."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._guesses = Guesses()

    async def check(self, scope: Scope) -> None:
        """Count a request's token, if it has one.

        Raises:
            GuessingError: too many wrong ones came from its address. Whether this one is right was not looked at.
        """
        if token := token_of(scope):
            await self.check_token(address_of(scope, self._settings) or "", token)

    async def check_token(self, address: str, token: str) -> None:
        """Count a token from an address. Raises the errors of `check`."""
        if wait := self._guesses.wait(address, token):
            raise GuessingError(wait)
        self._guesses.note(address, token, right=self._settings.tokens.holder(token) is not None)


def token_of(scope: Scope) -> str:
    """Return the token in a request's Authorization header; empty where there is none."""
    header = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
    scheme, _, token = header.decode("latin-1").partition(" ")
    return token if scheme.lower() == "bearer" else ""
