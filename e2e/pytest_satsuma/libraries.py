"""The libraries that speak Segment's tracking API: under which names each keeps a visitor, and when it is up."""

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
    """How to look at one library from outside.

    Attributes:
        name: what ``--satsuma-library`` calls it.
        user_id, anonymous_id, group_id, traits: names of its cookies and localStorage keys.
        stub: JavaScript that is true where the page has the library or its stub.
        booted: JavaScript that is true as soon as the library takes calls itself.
        decode: what a stored text means.
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
        """The names of all that it keeps of a visitor."""
        return (self.user_id, self.anonymous_id, self.group_id, self.traits)

    def owns(self, name: str) -> bool:
        """Tell whether a cookie or an item is the library's."""
        prefix = self.anonymous_id.partition("_anonymous")[0]
        return name in self.keys or name.startswith(f"{prefix}_")


def json_or_text(text: str) -> Any:
    """Return what JSON means, or the text itself where it is none."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _rudder(text: str) -> Any:
    """Return what RudderStack's third version has written; an empty value means nothing."""
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
"""One of each way of keeping a visitor: what is looked for where nobody says which library it is."""


def named(name: str) -> tuple[Library, ...]:
    """Return the libraries that a name stands for: one, or all known ones for `AUTO`."""
    return KNOWN if name == AUTO else (LIBRARIES[name],)


def is_up(libraries: tuple[Library, ...]) -> str:
    """Return JavaScript, a function, that tells whether the page's library takes calls.

    A page that is complete and shows no known library may hold one in a bundle, out of sight: it counts as up, and
    expectations do the waiting.
    """
    booted = " || ".join(f"({one.booted})" for one in libraries)
    stubs = " || ".join(one.stub for one in libraries)
    hidden = f"(document.readyState === 'complete' && !({stubs}))" if len(libraries) > 1 else "false"
    return f"() => Boolean({booted} || {hidden})"
