"""How well it is known of an event whose it is: what the collector notes, and what its followers go by."""

from __future__ import annotations

from enum import StrEnum

FIELD = "verification"
"""Of an event's context. The collector alone writes it: what a sender has there is taken out."""

SIGNATURE = "signature"
"""Of an event's context, as it is sent. It proves a userId, and is kept nowhere."""


SENDER_IP = "senderIp"
"""Of an event's context: the address that a request came from, where the event says another. The collector alone writes
it: limits by address count by it, since with a write key anybody can say any ``context.ip``."""


class Verification(StrEnum):
    """What an event's ids and traits are worth. An event without it is taken at its word.

    Attributes:
        SERVER: it came with a secret key or the token.
        SIGNED: its userId is signed by the site's server.
        CLAIMED: its userId is not signed. The event is that of its userId only if a verified event, of whatever time,
            has linked that to its anonymousId.
        ANONYMOUS: it names no user, in a source that wants userIds signed.
        PUBLIC: it came with the write key, to a source that believes servers alone. As CLAIMED, and its traits are
            nobody's.
    """

    SERVER = "server"
    SIGNED = "signed"
    CLAIMED = "claimed"
    ANONYMOUS = "anonymous"
    PUBLIC = "public"


VERIFIED = (Verification.SERVER, Verification.SIGNED)
"""An event's userId is proven."""
