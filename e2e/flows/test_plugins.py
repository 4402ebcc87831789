"""Plugins that a page brings along: in Python, in JavaScript, and both at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flows.plugin_site import serving_plugins
from pytest_satsuma import Visitor
from satsuma_server.testing import Collector

Stored = Callable[..., dict[str, Any]]

PLUGIN = '''
from satsuma.pipeline import Cancelled, PluginKind


class Tidy:
    """Upper-cases currencies, and keeps test orders back."""

    name = "Tidy"
    kind = PluginKind.BEFORE

    def track(self, context):
        properties = context.event["properties"]
        if properties.get("test"):
            raise Cancelled("a test order")
        if "currency" in properties:
            properties["currency"] = properties["currency"].upper()
        return context


plugins = [Tidy()]
'''
JAVASCRIPT = """async () => {
    window.told = [];
    await analytics.register({
        name: "Pixel", type: "destination", version: "1", isLoaded: () => true, load: async () => {},
        track: (ctx) => { told.push(ctx.event.properties.currency); return ctx; },
    });
    await analytics.addDestinationMiddleware("Pixel", ({payload, integration, next}) => {
        payload.obj.properties.currency += `@${integration}`;
        next(payload);
    });
    await analytics.track("Ordered", {currency: "eur"});
    return told;
}"""


@pytest.fixture
def site(collector: Collector) -> Iterator[str]:
    """A page with plugins in Python: one that works, one that is broken, one that isn't there."""
    modules = {"/tidy.py": PLUGIN, "/broken.py": "plugins = [1 / 0]", "/missing.py": None}
    with serving_plugins(collector, "plugged", modules) as url:
        yield url


def test_a_plugin_in_python_changes_and_stops_events(
    visitor: Visitor, stored: Stored, collector: Collector, warnings: list[str]
) -> None:
    visitor.visit("/")
    visitor.evaluate("() => analytics.track('Ordered', {test: true}).then(() => null)")
    visitor.evaluate("() => analytics.track('Ordered', {currency: 'eur'}).then(() => null)")
    assert stored("track", "Ordered")["properties"] == {"currency": "EUR"}
    assert len(collector.events()) == 2
    assert sum("/broken.py" in line and "ZeroDivisionError" in line for line in warnings) == 1
    assert sum("/missing.py" in line and "404" in line for line in warnings) == 1
    assert all("404" in error for error in visitor.errors)
    visitor.errors.clear()


def test_plugins_of_both_languages_see_the_same_event(visitor: Visitor, stored: Stored) -> None:
    visitor.visit("/")
    assert visitor.evaluate(JAVASCRIPT) == ["EUR@Pixel"]
    assert stored("track", "Ordered")["properties"] == {"currency": "EUR"}
    visitor.errors.clear()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("import socket; socket.create_connection(('localhost', 1))", "socket.create_connection"),
        ("import subprocess; subprocess.run(['ls'])", "subprocess.run"),
        ("'日本'.encode('shift_jis')", "unknown encoding: shift_jis"),
        ("import _codecs_jp", "import of _codecs_jp halted"),
    ],
)
def test_what_no_page_can_use_says_so(collector: Collector, visitor: Visitor, text: str, told: str) -> None:
    """The interpreter of a page comes without it, to be small."""
    with serving_plugins(collector, "reaching", {"/reaching.py": text}) as url:
        with visitor.page.expect_console_message(lambda line: told in line.text):
            visitor.page.goto(url)
        assert visitor.evaluate("() => analytics.track('Still There').then((context) => context.delivered)") is True


LIBRARY = '''
from __future__ import annotations

import asyncio
import collections
import copy
import dataclasses
import datetime
import enum
import functools
import itertools
import json
import logging
import math
import random
import re
import threading
import time
import traceback
import typing
import urllib.parse
from typing import Any, Callable, ClassVar, NamedTuple, Optional, Protocol, TypedDict, TypeVar

T = TypeVar("T")
told = []


class Heard(logging.Handler):
    def emit(self, record):
        told.append(self.format(record))


log = logging.getLogger("plugin")
log.addHandler(Heard())
log.setLevel(logging.INFO)


class Size(enum.IntEnum):
    SMALL = 1
    LARGE = enum.auto()


class Point(NamedTuple):
    x: int
    y: int = 2


class Given(TypedDict, total=False):
    price: float


class Sees(Protocol):
    def see(self) -> Optional[int]: ...


@dataclasses.dataclass(frozen=True, order=True)
class Money:
    amount: float
    currency: str = "EUR"
    tags: list[str] = dataclasses.field(default_factory=list)
    known: ClassVar[int] = 1


def first(given: list[T], ask: Callable[[T], bool] | None = None) -> T | None:
    return next(filter(ask, given), None)


def shouted(work):
    @functools.wraps(work)
    def shouting(*args, **named):
        return work(*args, **named).upper()
    return shouting


@functools.lru_cache
def slug(text: str) -> str:
    return re.sub(r"(?i)[^a-z0-9]+", "-", text).strip("-").lower()


@shouted
def name(text: str) -> str:
    """Names."""
    return text


async def later(value: Any) -> Any:
    await asyncio.sleep(0)
    return value


class Library:
    name, kind = "Library", "before"

    def __init__(self):
        self.lock = threading.Lock()
        self.seen = collections.Counter()

    async def track(self, context):
        properties = context.event["properties"]
        with self.lock:
            self.seen[context.event["event"]] += 1
        found = re.fullmatch(r"(?P<whole>\\d+)[.,](?P<part>\\d{2})\\s*(?P<currency>[A-Z]{3})", properties["price"])
        money = Money(float(f"{found['whole']}.{found['part']}"), found["currency"])
        url = urllib.parse.urlsplit("https://shop.test/a%20b?x=1&y=%C3%A9#end")
        day = datetime.datetime(2024, 2, 29, 12, tzinfo=datetime.timezone.utc) + datetime.timedelta(days=366)
        try:
            {}["none"]
        except KeyError as error:
            lines = traceback.format_exception(error)
            log.warning("no %s in %d", error, len({}))
        both = await asyncio.gather(later(1), later("two"))
        waited = await asyncio.wait_for(later(3), 10)
        properties["found"] = {
            "money": dataclasses.asdict(dataclasses.replace(money, tags=["new"])),
            "sorted": [one.amount for one in sorted([Money(2.0), Money(1.0)])],
            "slug": slug("Grüne Möbel & Co."),
            "name": [name("peter"), name.__name__],
            "first": first([1, 2, 3], lambda one: one > 1),
            "size": [Size.LARGE.name, Size(1).value, str(Size.SMALL)],
            "point": list(Point(1)._replace(y=5)),
            "url": [url.netloc, urllib.parse.unquote(url.path), urllib.parse.parse_qs(url.query)],
            "query": urllib.parse.urlencode({"q": "ä b"}),
            "day": [day.isoformat(), day.strftime("%Y-%m-%d")],
            "seconds": datetime.datetime.fromisoformat("2024-01-02T03:04:05+01:00").timestamp(),
            "json": json.loads(json.dumps({"é": [1.5, None, True]}, sort_keys=True, indent=1)),
            "error": [lines[0].split()[0], lines[-1].strip()],
            "logged": told[-1],
            "both": [*both, waited],
            "copy": copy.deepcopy({"a": [1]}),
            "pairs": [list(one) for one in itertools.pairwise([1, 2, 3])],
            "math": [math.floor(2.7), round(math.pi, 3), statistics([1, 2, 3])],
            "random": 0 <= random.random() < 1 and time.time() > 1e9,
            "format": f"{1234.5:>10,.2f}|{'x':^3}|{255:#x}|{0.1!r}",
            "typed": [typing.cast(int, 3), typing.get_args(list[int])[0].__name__],
            "origin": typing.get_origin(dict[str, int]).__name__,
        }
        return context


def statistics(numbers):
    match numbers:
        case [one]:
            return one
        case [one, *_, last]:
            return one + last


plugins = [Library()]
'''


def test_a_plugin_in_python_finds_what_it_needs_of_pythons_library(
    collector: Collector, visitor: Visitor, stored: Stored, warnings: list[str]
) -> None:
    with serving_plugins(collector, "learned", {"/library.py": LIBRARY}) as url:
        visitor.page.goto(url)
        visitor.page.wait_for_function("() => analytics.initialized")
        visitor.evaluate("() => analytics.track('Ordered', {price: '12,50 CHF'}).then(() => null)")
    assert warnings == []
    assert stored("track", "Ordered")["properties"]["found"] == {
        "money": {"amount": 12.5, "currency": "CHF", "tags": ["new"]},
        "sorted": [1, 2],
        "slug": "gr-ne-m-bel-co",
        "name": ["PETER", "name"],
        "first": 2,
        "size": ["LARGE", 1, "1"],
        "point": [1, 5],
        "url": ["shop.test", "/a b", {"x": ["1"], "y": ["é"]}],
        "query": "q=%C3%A4+b",
        "day": ["2025-03-01T12:00:00+00:00", "2025-03-01"],
        "seconds": 1704161045,
        "json": {"é": [1.5, None, True]},
        "error": ["Traceback", "KeyError: 'none'"],
        "logged": "no 'none' in 0",
        "both": [1, "two", 3],
        "copy": {"a": [1]},
        "pairs": [[1, 2], [2, 3]],
        "math": [2, 3.142, 4],
        "random": True,
        "format": "  1,234.50| x |0xff|0.1",
        "typed": [3, "int"],
        "origin": "dict",
    }
