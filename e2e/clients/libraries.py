"""The libraries that post to the collector unchanged: what each is, and what it needs.

A test that runs one says so by ``@pytest.mark.library("its package")``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parents[2]
PINNED = ROOT / "e2e" / "libraries" / "package.json"


@dataclass(frozen=True, slots=True)
class Library:
    """A library of somebody else's.

    Attributes:
        title: whose it is and how it is called, in Markdown.
        package: its name in npm's registry, or in Python's.
        needs: what its user sets, in Markdown.
    """

    title: str
    package: str
    needs: str

    def version(self) -> str:
        """Return the version that is pinned, which is the one that runs."""
        pinned = json.loads(PINNED.read_text())["dependencies"]
        return str(pinned[self.package]) if self.package in pinned else version(self.package)


LIBRARIES = (
    Library(
        "Segment's `@segment/analytics-next`, with `@segment/snippet`",
        "@segment/analytics-next",
        "CDN host and `apiHost` are the collector's",
    ),
    Library(
        "Segment's `@segment/snippet`, which loads our library",
        "@segment/snippet",
        "its CDN host is the collector's",
    ),
    Library("Segment's `@segment/analytics-node`", "@segment/analytics-node", "`host`"),
    Library("Segment's `segment-analytics-python`", "segment-analytics-python", "`host`"),
    Library(
        "Segment's `@segment/analytics-consent-tools`, around our snippet and our package for npm",
        "@segment/analytics-consent-tools",
        "the snippet's option `load: false` ([how](tag-managers.md#segments-consent-tools))",
    ),
    Library(
        "RudderStack's `@rudderstack/analytics-js` (bundled)",
        "@rudderstack/analytics-js",
        "data plane and `configUrl` are the collector's origin",
    ),
    Library(
        "RudderStack's `@rudderstack/rudder-sdk-node`",
        "@rudderstack/rudder-sdk-node",
        "`dataPlaneUrl` is the collector's origin",
    ),
    Library(
        "Jitsu's `@jitsu/js`",
        "@jitsu/js",
        "`host`; `writeKey` is `KEY:anything`, since the library refuses a key without a colon",
    ),
    Library(
        "Customer.io's `@customerio/cdp-analytics-browser`",
        "@customerio/cdp-analytics-browser",
        "`cdnURL` is `https://collector.example/customerio`",
    ),
    Library(
        "June's `@june-so/analytics-node`",
        "@june-so/analytics-node",
        "`httpClient`, since its address is fixed: one that replaces `https://api.june.so`",
    ),
)
