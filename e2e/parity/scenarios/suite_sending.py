"""The edges of retries, batches and what happens without a network.

The facts are those of analytics-next's own test suite, as far as a page can observe them; the scripts are our own.
"""

from __future__ import annotations

import json
from typing import Any

from parity.scenarios.delivery import LEFT, TRIES, batching, segment
from parity.story import HELP, Answer, Find, Network, Posts, Scenario, Visit, scenario

FAILS = """<script>window.fails = 0; { const own = window.fetch; window.fetch = (url, options) =>
    /^post$/i.test(options?.method) && window.fails-- > 0 ? Promise.reject(new TypeError('Failed to fetch')) : own(url, options); }</script>"""
"""Lets so many posts fail as `window.fails` says, without an answer."""
SPY = """<script>window.given = []; { const own = window.fetch; window.fetch = (url, options) => {
    if (/^post$/i.test(options?.method)) given.push([Boolean(options.keepalive)]); return own(url, options); }; }</script>"""
TAKEN = """<script>{ const own = window.fetch; window.fetch = (url, options) => /^post$/i.test(options?.method) ? Promise.resolve(new Response('{}')) : own(url, options); }
    navigator.sendBeacon = () => true;</script>"""
"""Takes what is sent in the collector's place."""
TOLD = (
    HELP
    + "analytics.on('error', ({code, reason}) => calls.push([code, reason.message])); const c = await analytics.track('A'); await after(%d); return [lines(c), Boolean(c.failedDelivery()), c.attempts, calls]"
)
PAUSE = "await new Promise((go) => setTimeout(go, %d))"
TRACK = "await analytics.track('A')"


def answered(
    title: str, statuses: tuple[int, ...], posts: int, *, wait: int = 0, after: str = "", **more: object
) -> Scenario:
    """Return a scenario of one event that the collector answers so, and its tries."""
    headers = {"retry_after": after} if after else {}
    return scenario(
        title, Visit(), Posts(1), Answer(statuses, headers), TOLD % wait, Posts(posts), headers=TRIES, **more
    )


def batch(
    title: str,
    statuses: tuple[int, ...],
    posts: int,
    *,
    wait: int = 0,
    after: str = "",
    http: dict[str, Any] | None = None,
    intended: dict[str, str] | None = None,
    **config: object,
) -> Scenario:
    """Return a scenario of batches that the collector answers so."""
    headers = {"retry_after": after} if after else {}
    load = batching(**{"size": 1, "timeout": 100, **config})
    if http:
        load["integrations"]["Segment.io"]["httpConfig"] = http
    return scenario(
        title,
        Visit(),
        Posts(1),
        Answer(statuses, headers),
        f"{TRACK}; {PAUSE % wait}",
        Posts(posts),
        load=load,
        headers=TRIES,
        intended=intended or {},
    )


def left(kind: str, **more: object) -> dict[str, str]:
    """Return what an earlier page has left in one of analytics.js's queues."""
    return {f"persisted-queue:v1:{kind}:items": json.dumps([{**LEFT, **more}])}


SCENARIOS = (
    answered("Retries: 500 and then 410", (500, 410), 4),
    answered("Retries: 408 with Retry-After backs off", (408,), 3, after="3000"),
    answered("Retries: 503 with Retry-After backs off", (503,), 3, after="3000"),
    answered("Retries: Retry-After that is no number", (429,), 3, after="soon"),
    answered("Retries: Retry-After below zero", (429,), 3, after="-5"),
    answered("Retries: Retry-After with a fraction", (429,), 3, after="1.9"),
    answered(
        "Retries: 429 that the settings drop",
        (429,),
        2,
        after="1",
        wait=1500,
        load=segment(httpConfig={"backoffConfig": {"statusCodeOverrides": {"429": "drop"}}}),
    ),
    answered(
        "Retries: 501 that the settings try again",
        (501,),
        3,
        load=segment(httpConfig={"backoffConfig": {"statusCodeOverrides": {"501": "retry"}}}),
    ),
    answered(
        "Retries: 500 that the settings drop",
        (500,),
        2,
        wait=1500,
        load=segment(httpConfig={"backoffConfig": {"statusCodeOverrides": {"500": "drop"}}}),
    ),
    answered(
        "Retries: 400 that the settings try again",
        (400,),
        3,
        load=segment(httpConfig={"backoffConfig": {"default4xxBehavior": "retry"}}),
    ),
    answered(
        "Retries: exhausted after two",
        (500, 500, 500),
        3,
        wait=4000,
        load=segment(httpConfig={"backoffConfig": {"maxRetryCount": 2}}),
    ),
    answered(
        "Retries: exhausted after one",
        (500, 500),
        2,
        wait=2500,
        load=segment(httpConfig={"backoffConfig": {"maxRetryCount": 1}}),
        intended={".told[0][0]": "told-at-once"},
    ),
    answered(
        "Retries: no queue, whatever httpConfig says",
        (500, 500),
        2,
        wait=1500,
        load={"retryQueue": False, **segment(httpConfig={"backoffConfig": {"maxRetryCount": 5}})},
        intended={".told[0][0]": "told-at-once"},
    ),
    answered(
        "Retries: httpConfig that is none",
        (500,),
        3,
        load=segment(httpConfig={"backoffConfig": None, "rateLimitConfig": 5}),
    ),
    answered(
        "Retries: rate limits that may not be waited for",
        (429, 429),
        2,
        after="0",
        wait=1500,
        load=segment(httpConfig={"rateLimitConfig": {"maxRetryCount": 0}}),
    ),
    scenario(
        "Retries: no answer at all", Visit(head=FAILS), Posts(1), f"fails = 1; {TOLD % 0}", Posts(2), headers=TRIES
    ),
    scenario(
        "Retries: no answer twice", Visit(head=FAILS), Posts(1), f"fails = 2; {TOLD % 0}", Posts(2), headers=TRIES
    ),
    scenario(
        "Retries: an event behind one that fails",
        Visit(),
        Posts(1),
        Answer((500,)),
        "void analytics.track('A'); await analytics.track('B')",
        Posts(4),
        intended={".events[": "kept-order"},
    ),
    scenario(
        "Retries: another kind of event",
        Visit(),
        Posts(1),
        Answer((500,)),
        "await analytics.identify('u', {a: 1})",
        Posts(3),
        headers=TRIES,
    ),
    scenario(
        "Retries: what was left by another source stays",
        Find(storage=left("other:dest-Segment.io")),
        Visit(),
        "return Object.keys(localStorage).filter((key) => key.endsWith(':items'))",
    ),
    batch("Batching: 500 twice", (500, 500), 4),
    batch("Batching: 408 with Retry-After backs off", (408,), 3, after="3000"),
    batch("Batching: 503 with Retry-After backs off", (503,), 3, after="3000"),
    batch("Batching: 429 without Retry-After", (429,), 3),
    batch("Batching: 460", (460,), 3),
    *(batch(f"Batching: {status}", (status,), 2, wait=1200) for status in (404, 413, 501, 505, 511)),
    batch(
        "Batching: 429 that the settings drop",
        (429,),
        2,
        wait=1500,
        after="1",
        http={"backoffConfig": {"statusCodeOverrides": {"429": "drop"}}},
    ),
    batch(
        "Batching: 503 that the settings drop",
        (503,),
        2,
        wait=1500,
        http={"backoffConfig": {"statusCodeOverrides": {"503": "drop"}}},
    ),
    batch(
        "Batching: how often the settings let it be tried",
        (500, 500, 500),
        3,
        wait=1800,
        http={"backoffConfig": {"maxRetryCount": 1}},
    ),
    batch(
        "Batching: maxRetries comes before httpConfig",
        (500, 500, 500),
        3,
        wait=1800,
        http={"backoffConfig": {"maxRetryCount": 5}},
        maxRetries=1,
    ),
    batch(
        "Batching: Retry-After is followed no longer than the settings say",
        (429,),
        3,
        after="3000",
        http={"rateLimitConfig": {"maxRetryInterval": 0.2}},
    ),
    batch(
        "Batching: no waits for Retry-After",
        (429, 429),
        2,
        after="0",
        wait=1500,
        http={"rateLimitConfig": {"maxRetryCount": 0}},
    ),
    batch("Batching: 302 that leads nowhere", (302,), 2, wait=1200, intended={".events": "redirects"}),
    scenario(
        "Batching: no answer at all",
        Visit(head=FAILS),
        Posts(1),
        f"fails = 1; {TRACK}",
        Posts(2),
        load=batching(size=1, timeout=100),
        headers=TRIES,
    ),
    scenario(
        "Batching: ten by default",
        "for (let n = 0; n < 8; n++) analytics.track('A' + n); await analytics.track('Last')",
        Posts(1),
        load=segment(deliveryStrategy={"strategy": "batching"}),
    ),
    scenario(
        "Batching: one after another",
        Visit(),
        "await analytics.track('A'); analytics.track('B'); await analytics.track('C')",
        Posts(2),
        load=batching(size=2, timeout=60000),
    ),
    scenario(
        "Batching: attempts of a context",
        "const c = await analytics.track('A'); return [c.attempts, analytics.queue.queue.getAttempts(c), lines(c)]".replace(
            "lines(c)", "c.logs().map((l) => l.message)"
        ),
        load=batching(size=1, timeout=100),
    ),
    scenario(
        "Batching: attempts of a context that fails",
        Visit(),
        Posts(1),
        Answer((500,)),
        "const c = await analytics.track('A'); return [c.attempts, analytics.queue.queue.getAttempts(c)]",
        Posts(3),
        load=batching(size=1, timeout=100),
    ),
    scenario(
        "Batching: hidden, and shown again",
        Visit(),
        "const show = (state) => { Object.defineProperty(document, 'visibilityState', {value: state, configurable: true}); document.dispatchEvent(new Event('visibilitychange')); }; const wait = () => new Promise((go) => setTimeout(go, 150)); analytics.track('A'); await wait(); show('hidden'); await wait(); show('visible'); analytics.track('B'); await wait(); analytics.track('C'); await wait(); show('hidden')",
        Posts(2),
        intended={".events": "hidden-once"},
        load=batching(size=100, timeout=60000),
    ),
    scenario(
        "Batching: outlives the page if asked to",
        Visit(head=SPY),
        "given.length = 0; await analytics.track('A'); await new Promise((go) => setTimeout(go, 300)); return given",
        load=batching(size=1, timeout=50, keepalive=True),
    ),
    scenario(
        "An event outlives the page if asked to",
        Visit(head=SPY),
        "given.length = 0; await analytics.track('A'); return given",
        load=segment(deliveryStrategy={"config": {"keepalive": True}}),
    ),
    scenario(
        "Batching: headers of a function",
        TRACK,
        load_script={
            "integrations": "{'Segment.io': {deliveryStrategy: {strategy: 'batching', config: {size: 1, timeout: 50, headers: () => ({'X-Own': '3'})}}}}"
        },
        headers=("x-own", "content-type"),
    ),
    scenario(
        "Batching: two events that are too large together",
        Visit(),
        Posts(1),
        Answer((413,)),
        "analytics.track('A'); await analytics.track('B'); await new Promise((go) => setTimeout(go, 1200))",
        Posts(2),
        load=batching(size=2, timeout=300),
        headers=TRIES,
        intended={".events": "halves"},
    ),
    scenario(
        "Offline: batches",
        Visit(),
        Posts(1),
        Network(there=False),
        "await analytics.track('A'); await analytics.track('B'); return 1",
        Network(there=True),
        Posts(2),
        load=batching(size=3, timeout=500),
    ),
    scenario(
        "Offline: a destination of the page has it at once",
        Visit(),
        Posts(1),
        Network(there=False),
        HELP
        + "await analytics.register(made('D', 'destination', {track: (c) => { calls.push(c.event.event); return c; }})); await analytics.track('A'); return calls",
        Network(there=True),
        Posts(2),
    ),
    scenario(
        "Offline: what the queue tells",
        Visit(),
        Posts(1),
        Network(there=False),
        HELP
        + "for (const n of ['message_delivered', 'delivery_success', 'flush', 'delivery_retry', 'delivery_failure']) analytics.queue.on(n, (c) => calls.push([n, c.event.event])); await analytics.track('A'); return [calls, analytics.queue.isEmpty()]",
        Network(there=True),
        Posts(2),
    ),
    scenario(
        "Offline: each kind of event",
        Visit(),
        Posts(1),
        Network(there=False),
        "for (const [n, ...a] of [['page'], ['group', 'g'], ['screen', 's']]) await analytics[n](...a); return 1",
        Network(there=True),
        Posts(4),
    ),
    scenario(
        "Batching: a page that goes on after it was told to end",
        Visit(head=TAKEN),
        f"{HELP} for (let i = 0; i < 80; i++) analytics.track('E' + i, {{pad: 'x'.repeat(1000)}}); await after(50); window.dispatchEvent(new Event('pagehide')); await after(200); return (await within(analytics.track('x').then(() => 'settled'), 5000))",
        load=batching(size=1000, timeout=60000),
    ),
)
