"""Libraries that use Segment's tracking API: the names under which each keeps an identity, and how to see that it is
up."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

RUDDER_PREFIX = "RS_ENC_v3_"

type Decode = Callable[[str], Any]


@dataclass(frozen=True, slots=True)
class Library:
    """How to read one library's state from outside.

    Attributes:
        name: its name in ``--satsuma-library``.
        user_id, anonymous_id, group_id, traits: names of its cookies and localStorage keys.
        stub: JavaScript that is true where the page has the library or its stub.
        booted: JavaScript that is true as soon as the library itself takes calls.
        decode: a function that decodes a stored text.
    """

    name: str
    user_id: str
    anonymous_id: str
    group_id: str
    traits: str
    stub: str
    booted: str
    decode: Decode

    @property
    def keys(self) -> tuple[str, ...]:
        """The names of all cookies and localStorage keys that it uses for a visitor."""
        return (self.user_id, self.anonymous_id, self.group_id, self.traits)

    def owns(self, name: str) -> bool:
        """Tell whether a cookie or an item belongs to the library."""
        prefix = self.anonymous_id.partition("_anonymous")[0]
        return name in self.keys or name.startswith(f"{prefix}_")


def json_or_text(text: str) -> Any:
    """Return the value of a JSON text, or the text itself where it isn't JSON."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _rudder(text: str) -> Any:
    """Decode a value of RudderStack's version 3, in which an empty value means that there is none."""
    if text.startswith(RUDDER_PREFIX):
        try:
            text = base64.b64decode(text[len(RUDDER_PREFIX) :]).decode()
        except (binascii.Error, ValueError):
            return text
    return json_or_text(text) or None


def _segment(name: str) -> Library:
    return Library(
        name=name,
        user_id="ajs_user_id",
        anonymous_id="ajs_anonymous_id",
        group_id="ajs_group_id",
        traits="ajs_user_traits",
        stub="window.analytics",
        booted="window.analytics && window.analytics.initialized",
        decode=json_or_text,
    )


SATSUMA = _segment("satsuma")
ANALYTICS_NEXT = _segment("analytics-next")
RUDDERSTACK = Library(
    name="rudderstack",
    user_id="rl_user_id",
    anonymous_id="rl_anonymous_id",
    group_id="rl_group_id",
    traits="rl_trait",
    stub="window.rudderanalytics",
    booted="window.rudderanalytics && !Array.isArray(rudderanalytics) && rudderanalytics.track",
    decode=_rudder,
)
JITSU = Library(
    name="jitsu",
    user_id="__eventn_uid",
    anonymous_id="__eventn_id",
    group_id="__group_id",
    traits="__eventn_id_usr",
    stub="window.jitsu",
    booted="window.jitsu && !Array.isArray(jitsu) && jitsu.track",
    decode=json_or_text,
)
LIBRARIES: Mapping[str, Library] = {one.name: one for one in (SATSUMA, ANALYTICS_NEXT, RUDDERSTACK, JITSU)}

AUTO = "auto"
KNOWN = (SATSUMA, RUDDERSTACK, JITSU)
"""The libraries that are looked for where the option doesn't name one: one for each way of keeping an identity."""


def named(name: str) -> tuple[Library, ...]:
    """Return the library of this name, or all known ones for `AUTO`."""
    return KNOWN if name == AUTO else (LIBRARIES[name],)


def is_up(libraries: tuple[Library, ...]) -> str:
    """Return a JavaScript function that tells whether the page's library takes calls.

    A complete page on which no known library is found may have one inside a bundle. The library then counts as up, and
    the expectations wait instead.
    """
    booted = " || ".join(f"({one.booted})" for one in libraries)
    stubs = " || ".join(one.stub for one in libraries)
    hidden = f"(document.readyState === 'complete' && !({stubs}))" if len(libraries) > 1 else "false"
    return f"() => Boolean({booted} || {hidden})"
