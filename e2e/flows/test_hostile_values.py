"""Values of a page that no event can hold: the event goes without them, and a warning names the place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flows.reference_library import PAGE, stock_site
from flows.without_loader import NO_LOADER
from pytest_satsuma import Visitor
from satsuma_server import snippet
from satsuma_server.testing import Collector, serving

FRAME = '<iframe srcdoc="x" sandbox></iframe>'

KINDS = """
    const graph = (size) => {
        const orders = Array.from({length: size}, (_, id) => ({id}));
        const products = orders.map(({id}) => ({id, orders: [...orders]}));
        for (const order of orders) order.products = [...products];
        return orders[0];
    };
    const grown = (value, times, grow) => {
        for (let n = 0; n < times; n++) value = grow(value);
        return value;
    };
    const bad = () => { throw new Error("not to be read"); };
    const revoked = (target) => {
        const {proxy, revoke} = Proxy.revocable(target, {});
        revoke();
        return proxy;
    };
    const frame = document.querySelector("iframe").contentWindow;
    const make = () => {
        const loop = {name: "loop"}; loop.self = loop;
        const ring = []; ring.push(ring);
        const fiber = {tag: 5, key: null, memoizedProps: {id: 1}, stateNode: document.body}; fiber.return = fiber;
        const element = document.createElement("button"); element.__reactFiber$x = fiber;
        class Order { #id = 1; get id() { return bad(); } toJSON() { return bad(); } }
        class Plain { constructor() { this.a = 1; } get b() { return bad(); } }
        const onion = {toJSON() { return this.again(); }, again() { return {toJSON: this.toJSON, again: this.again}; }};
        const named = (name) => typeof name === "string" && name !== "toJSON";
        const endless = {get: (target, name) => named(name) ? new Proxy({}, endless) : undefined};
        const late = new Proxy([1, 2, 3], {get: (target, name) => name === "2" ? bad() : target[name]});
        let asked = 0;
        const shrinking = new Proxy([1, 2], {get: (list, name) => name === "length" && asked++ ? bad() : list[name]});
        return {
            graph: graph(5), loop, ring, fiber, element, frame, proxy: revoked({}),
            list: revoked([]), method: revoked(bad),
            react: {$$typeof: Symbol.for("react.element"), type: "div", props: {}, _owner: fiber},
            symbol: Symbol("s"), symbols: {[Symbol("k")]: 1, s: Symbol("s"), loop}, boxed: Object(Symbol("s")),
            bigint: 10n ** 30n, bigints: [1n, {n: 2n}], getter: {get x() { return bad(); }, y: 1}, order: new Order(),
            plain: new Plain(), thrower: {toJSON: bad}, onion, endless: new Proxy({}, endless), late, shrinking,
            trapped: new Proxy({}, {get: bad, ownKeys: bad, getOwnPropertyDescriptor: bad, getPrototypeOf: bad}),
            date: new Date(NaN), map: new Map([[loop, loop]]), set: new Set([loop]), promise: Promise.resolve(),
            error: Object.assign(new Error("e"), {cause: loop, loop}),
            event: new MouseEvent("click"), blob: new Blob(["x"]),
            regexp: Object.assign(/x/g, {loop}), function: Object.assign(() => 1, {loop}),
            generator: (function* () { yield 1; })(),
            weak: new WeakMap(), nul: Object.assign(Object.create(null), {loop}), nan: NaN,
            infinite: [-Infinity, -0], minus: -0,
            accessor: Object.defineProperty([1, 2], 1, {get: bad}),
            style: document.documentElement.style, halves: "\\ud83d",
            typed: Object.assign(new Float64Array(3), {loop}), view: new DataView(new ArrayBuffer(8)),
            args: (function () { return arguments; })(loop, 1n), json: {toJSON: () => loop}, toJSON: {toJSON: 5, loop},
            proto: JSON.parse('{"__proto__": {"a": 1}, "constructor": 2}'),
            length: {length: 1e12, get 0() { return bad(); }, loop},
            holes: [, 1, , loop], node: {nodeType: 1, nodeName: "x", window: 1, $$typeof: "order"},
            undefined: undefined,
        };
    };
    const makeLarge = () => ({
        graph100: graph(100), window, document,
        doubled: grown({leaf: 1}, 60, (value) => ({a: value, b: value})),
        deep: grown({}, 1000, (value) => ({in: value})), deeper: grown({}, 100000, (value) => ({in: value})),
        long: "x".repeat(40000), longer: "x".repeat(50000000), name: {["n".repeat(100000)]: 1},
        many: Array.from({length: 1000000}, (_, n) => n), sparse: new Array(4000000000), bytes: new Uint8Array(3000000),
        large: Object.fromEntries(Array.from({length: 50000}, (_, n) => ["k" + n, n])),
        texts: Array.from({length: 1000}, () => "y".repeat(1000)), controls: "\\u0000".repeat(30000),
        text: new String("x".repeat(1000000)),
    });
"""
"""What makes values, small ones and large ones, by their kinds."""

CALLS = f"""() => {{
    {KINDS}
    for (const [kind, bad] of Object.entries({{...make(), ...makeLarge()}})) {{
        console.warn("kind", kind);
        analytics.identify("u1", {{kind, bad, good: 1}});
        const options = {{context: {{kind, bad, good: 1}}, integrations: {{bad, good: 1}}, bad, good: 1}};
        analytics.track("Kind", {{kind, bad, good: 1}}, options);
        analytics.track("Alone", bad, bad);
    }}
    return [Object.keys(make()), Object.keys(makeLarge())];
}}"""

HARMLESS = frozenset(
    name
    for names in (
        "symbol boxed endless date map set promise event blob function generator weak nan infinite minus style halves",
        "view proto node undefined method onion long plain",
    )
    for name in names.split()
)
"""Kinds that JSON.stringify writes as they are, or as nothing, and of which nobody is warned."""

READ = {
    "symbol": None,
    "boxed": {},
    "date": None,
    "map": {},
    "set": {},
    "nan": None,
    "infinite": [None, 0],
    "minus": 0,
    "getter": {"y": 1},
    "plain": {"a": 1},
    "bigint": str(10**30),
    "bigints": ["1", {"n": "2"}],
    "loop": {"name": "loop"},
    "ring": [None],
    "late": [1, 2, None],
    "accessor": [1, None],
    "args": {"0": {"name": "loop"}, "1": "1"},
    "holes": [None, 1, None, {"name": "loop"}],
    "symbols": {"loop": {"name": "loop"}},
    "json": {"name": "loop"},
    "nul": {"loop": {"name": "loop"}},
    "node": {"nodeType": 1, "nodeName": "x", "window": 1, "$$typeof": "order"},
}
"""What an event has of a kind; None where it goes without."""  # fmt: skip


@pytest.fixture
def options() -> dict[str, Any]:
    """The load options."""
    return {}


@pytest.fixture
def site(collector: Collector, options: dict[str, Any]) -> Iterator[str]:
    written = snippet("values", collector.url, options=options)
    with serving(stock_site(PAGE.format(title="Values", snippet=written, body=FRAME))) as url:
        yield url


def check(events: list[dict[str, Any]], kinds: list[str]) -> None:
    """Check that each kind's events are there, with what stands beside it and what can be read of it."""
    identified = {event["traits"]["kind"]: event for event in events if event["type"] == "identify"}
    tracked = {event["properties"]["kind"]: event for event in events if event.get("event") == "Kind"}
    assert set(identified) == set(tracked) == set(kinds)
    assert len([event for event in events if event.get("event") == "Alone"]) == len(kinds)
    assert {event["userId"] for event in events if event["type"] != "page"} == {"u1"}
    for kind in kinds:
        event = tracked[kind]
        traits, properties, context = identified[kind]["traits"], event["properties"], event["context"]
        assert [part.get("good") for part in (traits, properties, context, event["integrations"])] == [1] * 4, kind
        if kind in READ:
            assert properties.get("bad") == context.get("bad") == READ[kind], (kind, event)
        # The trait of before stays where there is no new one.
        if READ.get(kind) is not None:
            assert traits["bad"] == READ[kind], (kind, traits)


def told_of(warnings: list[str]) -> set[str]:
    """Return the kinds of which a warning of each of its first two calls names the place."""
    found: dict[str, list[str]] = {}
    for line in warnings:
        if line.startswith("kind "):
            place = found.setdefault(line.removeprefix("kind "), [])
        elif line.startswith("[satsuma] analytics.") and ".bad" in line:
            place.append(line.split(":")[0].removeprefix("[satsuma] "))
    calls = ["analytics.identify, argument 2", "analytics.track, argument 2", "analytics.track, argument 3"]
    return {kind for kind, told in found.items() if told == calls}


class TestPython:
    """Calls that Python takes."""

    @pytest.fixture
    def options(self, page_or_worker: dict[str, Any]) -> dict[str, Any]:
        return page_or_worker

    def test_no_value_costs_its_event_or_what_is_beside_it(
        self, visitor: Visitor, collector: Collector, warnings: list[str]
    ) -> None:
        visitor.visit("/")
        small, large = visitor.evaluate(CALLS)
        kinds = small + large
        events = collector.wait_for(lambda events: len(events) >= 1 + 3 * len(kinds), seconds=120)
        check(events, kinds)
        assert told_of(warnings) == {kind for kind in kinds if kind not in HARMLESS}
        assert max(map(len, warnings)) < 1500
        assert visitor.errors == []
        order = next(
            event["properties"]["bad"]
            for event in events
            if event.get("event") == "Kind" and event["properties"]["kind"] == "graph"
        )
        assert order["products"][0]["orders"][1]["id"] == 1


class TestEarly:
    """Calls that the snippet writes itself, while there is no Python."""

    @pytest.fixture
    def options(self) -> dict[str, Any]:
        return {"early": True}

    def test_no_value_costs_its_event_where_python_never_comes(self, visitor: Visitor, collector: Collector) -> None:
        visitor.page.add_init_script(NO_LOADER)
        visitor.page.goto(visitor.base_url)
        small, _ = visitor.evaluate(CALLS.replace("...makeLarge()", ""))
        events = collector.wait_for(lambda events: len(events) >= 1 + 3 * len(small), seconds=120)
        check(events, small)


def test_no_value_costs_its_event_where_its_page_is_left(visitor: Visitor, collector: Collector) -> None:
    visitor.page.add_init_script(NO_LOADER)
    visitor.page.goto(visitor.base_url)
    small, _ = visitor.evaluate(CALLS.replace("...makeLarge()", ""))
    visitor.evaluate("() => { sessionStorage.up = 1; }")
    visitor.visit("/next")
    events = collector.wait_for(lambda events: len(events) >= 2 + 3 * len(small), seconds=120)
    check(events, small)


LOAD_OPTIONS = f"""(() => {{
    {KINDS}
    const integrations = {{...make(), All: true}};
    const options = {{...make(), graph: graph(100), integrations, user: {{cookie: graph(5)}}, worker: WORKER}};
    return Object.defineProperty(options, "cookie", {{get: bad, enumerable: true}});
}})()"""


class TestLoadOptions:
    @pytest.fixture(params=["false", "true"], ids=["page", "worker"])
    def site(self, collector: Collector, request: pytest.FixtureRequest) -> Iterator[str]:
        written = snippet("values", collector.url, options={"hostile": 1})
        given = LOAD_OPTIONS.replace("WORKER", str(request.param))
        script = written.replace('{"hostile":1}', given).replace('{"hostile": 1}', given)
        assert script != written
        html = PAGE.format(title="Options", snippet="", body=f"{FRAME}<script>{script}</script>")
        with serving(stock_site(html)) as url:
            yield url

    def test_none_costs_an_event(self, visitor: Visitor, collector: Collector, warnings: list[str]) -> None:
        visitor.visit("/")
        visitor.evaluate("() => analytics.track('Tracked', {n: 1})")
        events = collector.wait_for(lambda events: len(events) >= 2)
        assert [event.get("event", event["type"]) for event in events] == ["page", "Tracked"]
        assert any("analytics.load" in line and ".graph" in line for line in warnings)
        assert any("The option cookie" in line for line in warnings)
