"""How events get there: answers that fail, no network, batches, and what an earlier library has left."""

from __future__ import annotations

import json
from typing import Any

from parity.story import Answer, Find, Network, Posts, Visit, scenario, tells

TRIES = ("x-retry-count",)


def segment(**settings: Any) -> dict[str, Any]:
    """Return load options with settings of the destination."""
    return {"integrations": {"Segment.io": settings}}


def batching(**config: Any) -> dict[str, Any]:
    """Return load options for batches."""
    return segment(deliveryStrategy={"strategy": "batching", "config": config})


SPY = """<script>window.given = []; { const own = window.fetch; window.fetch = (url, options) => {
    if (/^post$/i.test(options?.method)) given.push([options.credentials, options.priority]);
    return own(url, options); }; }</script>"""
"""Writes down what the library asks of the browser for each post."""

SETTLED = "const context = await analytics.track('A'); return [context.event.event, context.attempts]"
LEFT = {
    "event": {
        "type": "track",
        "event": "Left",
        "properties": {"n": 1},
        "messageId": "ajs-next-1600000000000-00000000-0000-4000-8000-000000000000",
        "anonymousId": "00000000-0000-4000-8000-00000000000a",
        "userId": "u1",
        "timestamp": "2020-04-23T22:38:48.550Z",
        "context": {},
        "integrations": {},
    },
    "id": "ajs-next-1600000000000-00000000-0000-4000-8000-000000000000",
    "logs": [],
    "metrics": [],
}

SCENARIOS = (
    scenario(
        "A call settles though the collector fails, and is tried again",
        Visit(),
        Posts(1),
        Answer((500,)),
        SETTLED,
        Posts(3),
        headers=TRIES,
    ),
    scenario(
        "What is worth no other try",
        Visit(),
        Posts(1),
        Answer((400, 501)),
        "await analytics.track('A'); await analytics.track('B')",
        headers=TRIES,
        intended=tells(2),
    ),
    scenario(
        "A call settles without a network, and is sent once it is there",
        Visit(),
        Posts(1),
        Network(there=False),
        SETTLED,
        Network(there=True),
        Posts(2),
    ),
    scenario(
        "Without a queue for retries an event is tried once",
        Visit(),
        Posts(1),
        Answer((500,)),
        "await analytics.track('A'); await new Promise((done) => setTimeout(done, 1500))",
        load={"retryQueue": False},
    ),
    scenario(
        "Without a queue for retries and a network nothing happens",
        Visit(),
        Posts(1),
        Network(there=False),
        """const seen = [];
        await analytics.register({name: 'Seen', type: 'before', version: '1', isLoaded: () => true,
            load: () => Promise.resolve(), track: (context) => { seen.push(1); return context; }});
        await analytics.track('A');
        return seen""",
        Network(there=True),
        load={"retryQueue": False},
    ),
    scenario(
        "The settings say which answers are worth another try",
        Visit(),
        Posts(1),
        Answer((404, 503)),
        "await analytics.track('A')",
        Posts(3),
        "await new Promise((done) => setTimeout(done, 1500))",
        load=segment(httpConfig={"backoffConfig": {"statusCodeOverrides": {"404": "retry", "503": "drop"}}}),
        headers=TRIES,
    ),
    scenario(
        "The settings say how often an event is tried",
        Visit(),
        Posts(1),
        Answer((500, 500)),
        "await analytics.track('A'); await new Promise((done) => setTimeout(done, 3000))",
        load=segment(httpConfig={"backoffConfig": {"maxRetryCount": 2}}),
        headers=TRIES,
    ),
    scenario(
        "Retry-After is followed no longer than the settings say",
        Visit(),
        Posts(1),
        Answer((429,), {"retry_after": "3000"}),
        "await analytics.track('A')",
        Posts(3),
        load=segment(httpConfig={"rateLimitConfig": {"maxRetryInterval": 0.2}}),
        headers=TRIES,
    ),
    scenario(
        "A batch takes along whatever waits",
        """analytics.track('A');
        await new Promise((done) => setTimeout(done, 100));
        analytics.identify('b'); analytics.track('C')""",
        Posts(1),
        load=batching(size=100, timeout=1500),
    ),
    scenario(
        "A batch that fails is tried again",
        Find(),
        Answer((500,)),
        Visit(),
        Posts(2),
        load=batching(size=1, timeout=100),
        headers=TRIES,
    ),
    scenario(
        "Headers and priority of the page's own",
        "await analytics.track('A')",
        load=segment(
            deliveryStrategy={"config": {"headers": {"X-Own": "1"}, "priority": "low", "credentials": "omit"}}
        ),
        headers=("x-own", "content-type"),
    ),
    *(
        scenario(
            f"{'A batch' if strategy else 'An event'} is sent with {', '.join(map(' '.join, config.items()))}",
            Visit(head=SPY),
            "given.length = 0; await analytics.track('A'); await new Promise((go) => setTimeout(go, 300)); return given",
            load=segment(deliveryStrategy={**strategy, "config": {**sizes, **config}}),
        )
        for strategy, sizes in (
            ({}, {}),
            ({"strategy": "batching"}, {"size": 1, "timeout": 50}),
        )
        for config in ({"credentials": "same-origin"}, {"credentials": "omit", "priority": "low"})
    ),
    scenario(
        "Headers that a function gives, in place of our own too",
        "await analytics.track('A')",
        load_script={
            "integrations": "{'Segment.io': {deliveryStrategy: {config: {headers: () => ({'X-Own': '2', 'Content-Type': 'application/json'})}}}}"
        },
        headers=("x-own", "content-type"),
    ),
    scenario(
        "What an earlier page has left in analytics.js's queue",
        Find(storage={"persisted-queue:v1:reference:dest-Segment.io:items": json.dumps([LEFT])}),
        Visit(),
        Posts(2),
        "return Object.keys(localStorage).filter((key) => key.endsWith(':items'))",
        intended={".events[": "recovered-first", ".states[": "recovered-first"},
    ),
)
