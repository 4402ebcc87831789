"""What a request's headers and connection say about its sender."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.types import Scope

from satsuma_server.http.addresses import address_of
from satsuma_server.http.auth import is_admin
from satsuma_server.http.basic_auth import basic_user
from satsuma_server.masking import mask_address
from satsuma_server.settings import Settings

LONGEST_AGENT = 1024
"""The most characters of a User-Agent that are kept. Every event of a batch gets a copy."""


@dataclass(slots=True)
class ClientInfo:
    """The sender of one request.

    Attributes:
        write_key: the write key in the headers; None where there is none. A server may send its secret key there.
        origin: origin of the page that sent the request; None where no page did.
        ip: the visitor's IP address, masked where the settings say so.
        address: the visitor's IP address as it is, for limits alone. It is not kept.
        has_token: whether the request has a token of the collector with the scope `admin`.
    """

    write_key: str | None
    origin: str | None
    user_agent: str | None
    encoding: str
    ip: str | None
    has_token: bool = False
    address: str | None = None

    @classmethod
    def of(cls, scope: Scope, settings: Settings) -> ClientInfo:
        """Read a request's headers."""
        headers: dict[bytes, bytes] = dict(scope["headers"])
        authorization = headers.get(b"authorization", b"")
        key = basic_user(authorization) or _jitsu_key(_text(headers.get(b"x-write-key")), settings)
        ip = address_of(scope, settings)
        return cls(
            write_key=key,
            origin=_text(headers.get(b"origin")),
            user_agent=_text(headers.get(b"user-agent", b"")[:LONGEST_AGENT]),
            encoding=(_text(headers.get(b"content-encoding")) or "").lower(),
            ip=mask_address(ip) if settings.mask_ip else ip,
            address=ip,
            has_token=bool(authorization) and is_admin(authorization.decode("latin-1"), settings),
        )


def _jitsu_key(text: str | None, settings: Settings) -> str | None:
    """Return the write key, or the secret key, in an ``X-Write-Key`` header.

    Jitsu's libraries demand keys of the form ``id:secret``. In a page both parts are public, so the first one is the
    source's write key, unless the second is one of its secret keys, or the whole is a source's write key.
    """
    if not text or ":" not in text or settings.names(text):
        return text
    write_key, _, secret = text.partition(":")
    return secret if settings.source_of_secret(secret) else write_key


def _text(header: bytes | None) -> str | None:
    return header.decode("latin-1") if header else None
