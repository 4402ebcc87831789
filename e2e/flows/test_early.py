"""Calls that go to the collector before Python is up, by the option ``early``, and what its answer says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from flows.faults import Faults
from flows.reference_library import PAGE, stock_site
from flows.without_loader import NO_LOADER, names
from pytest_satsuma import Visitor
from satsuma_server import snippet
from satsuma_server.testing import Collector, serving

CALLS = "analytics.identify('u1', {plan: 'pips'}); analytics.track('Signed Up', {n: 1});"
OPTIONS: dict[str, Any] = {"early": True}


def pages(collector: Collector, script: str, options: dict[str, Any]) -> str:
    """Return a page that runs a script behind the snippet."""
    return PAGE.format(title="Early", snippet=f"{snippet('early', collector.url, options=options)}\n{script}", body="")


@pytest.fixture
def script(request: pytest.FixtureRequest) -> str:
    """What the page does behind the snippet; a test may ask for another by ``indirect``."""
    return getattr(request, "param", CALLS)


@pytest.fixture
def options() -> dict[str, Any]:
    return dict(OPTIONS)


@pytest.fixture
def site(watched: Collector, faults: Faults, script: str, options: dict[str, Any]) -> Iterator[str]:
    # The first of all bodies waits for the process that makes its calls.
    httpx.post(f"{watched.url}/v1/early", content='{"calls": [], "writeKey": "early"}', timeout=60, trust_env=False)
    faults.posted.clear()
    with serving(stock_site(pages(watched, script, options))) as url:
        yield url


def test_a_new_visitor_is_known_before_any_python_has_come(
    visitor: Visitor, watched: Collector, faults: Faults
) -> None:
    visitor.page.add_init_script(NO_LOADER)
    visitor.page.goto(visitor.base_url)
    assert names(watched, 3) == ["page", "identify", "Signed Up"]
    visitor.until(lambda: visitor.identity.cookie_user_id == "u1", "the answer to be written")
    assert visitor.storage.all()["ajs_user_traits"] == '{"plan":"pips"}'
    known = visitor.identity.cookie_anonymous_id
    assert {event["anonymousId"] for event in watched.events()} == {known}
    assert {post.path for post in faults.posted} == {"/v1/early"}
    assert watched.events()[0]["context"]["page"]["title"] == "Early"


def test_python_goes_on_from_there_and_sends_nothing_twice(
    visitor: Visitor, watched: Collector, faults: Faults
) -> None:
    visitor.visit("/")
    visitor.evaluate("() => analytics.track('Later')")
    assert names(watched, 4) == ["page", "identify", "Signed Up", "Later"]
    sent = [event for post in faults.posted if post.path != "/v1/early" for event in post.events]
    assert [event.get("event", event["type"]) for event in sent] == ["Later"]
    events = watched.events()
    assert len({event["anonymousId"] for event in events}) == 1
    assert [event["userId"] for event in events] == [None, "u1", "u1", "u1"]
    assert visitor.evaluate("() => analytics.user().traits()") == {"plan": "pips"}


@pytest.mark.parametrize(
    "script",
    ["analytics.identify('u1'); addEventListener('load', () => location.pathname === '/' && (location = '/next'));"],
    indirect=True,
)
def test_a_page_that_redirects_takes_its_visitor_along(visitor: Visitor, watched: Collector) -> None:
    visitor.page.add_init_script(NO_LOADER)
    visitor.page.goto(visitor.base_url, wait_until="commit")
    visitor.page.wait_for_url("**/next")
    events = watched.wait_for(lambda events: len(events) >= 4)
    following = [event for event in events if event["context"]["page"]["path"] == "/next"]
    assert {event["userId"] for event in following if event["type"] == "identify"} == {"u1"}
    assert len({event["anonymousId"] for event in events}) == 1
    assert [event["userId"] for event in following] == ["u1", "u1"]


HELD = """
    const fetched = window.fetch;
    const released = new Promise((go) => (window.release = go));
    window.fetch = async (...args) => {
        const answer = await fetched(...args);
        window.answered = true;
        await released;
        return answer;
    };
"""
"""The page hears the collector's first answer only when it is told to."""


def test_what_a_server_has_set_before_the_answer_stays(visitor: Visitor) -> None:
    visitor.page.add_init_script(NO_LOADER)
    visitor.page.add_init_script(HELD)
    visitor.page.goto(visitor.base_url)
    visitor.until(lambda: visitor.page.evaluate("() => window.answered"), "the answer")
    visitor.cookies.tamper("ajs_user_id", "u9")
    visitor.cookies.tamper("ajs_anonymous_id", "a9")
    visitor.page.evaluate("() => release()")
    visitor.until(lambda: visitor.identity.storage_user_id == "u1", "the answer to be written")
    assert (visitor.identity.cookie_user_id, visitor.identity.cookie_anonymous_id) == ("u9", "a9")


TOO_LATE = """
    const fetched = window.fetch;
    window.sent = new Promise((resolve) => {
        window.fetch = (...args) => {
            const answer = fetched(...args);
            resolve();
            return location.pathname === "/" ? new Promise(() => {}) : answer;
        };
    });
"""
"""The page that is left first hears no answer of the collector, as one that is left while the answer is on its way."""


@pytest.mark.parametrize(
    "script",
    ["analytics.identify('u1'); sent.then(() => location.pathname === '/' && (location = '/next'));"],
    indirect=True,
    ids=["redirect"],
)
def test_a_page_that_is_left_before_the_answer_takes_its_visitor_along(
    visitor: Visitor, watched: Collector, faults: Faults
) -> None:
    visitor.page.add_init_script(NO_LOADER)
    visitor.page.add_init_script(TOO_LATE)
    visitor.page.goto(visitor.base_url, wait_until="commit")
    visitor.page.wait_for_url("**/next")
    events = watched.wait_for(lambda events: len(events) >= 4)
    following = [event for event in events if event["context"]["page"]["path"] == "/next"]
    assert [(event["type"], event["userId"]) for event in following] == [("page", "u1"), ("identify", "u1")]
    assert len({event["anonymousId"] for event in events}) == 1
    assert len({event["messageId"] for event in events}) == len(events) == 4


@pytest.mark.parametrize("is_lost", [False, True], ids=["answered", "answer lost"])
@pytest.mark.parametrize(
    "script", ["analytics.identify('ann'); analytics.reset(); analytics.track('Seen');"], indirect=True, ids=["reset"]
)
def test_who_was_logged_out_stays_so(visitor: Visitor, watched: Collector, faults: Faults, is_lost: bool) -> None:
    if is_lost:
        faults.answer_next(500, lost=True)
    visitor.visit("/")
    visitor.evaluate("() => analytics.track('Later')")
    assert names(watched, 4) == ["page", "identify", "Seen", "Later"]
    page, identify, seen, later = watched.events()
    assert page["anonymousId"] == identify["anonymousId"] != seen["anonymousId"]
    assert (seen["anonymousId"], seen["userId"]) == (later["anonymousId"], later["userId"])
    assert visitor.identity.cookie_user_id is None
    assert visitor.identity.cookie_anonymous_id == seen["anonymousId"]
    visitor.errors.clear()  # Of the lost answer the browser itself tells.


LISTENERS = """
    window.told = [];
    analytics.on('track', (name, properties) => told.push(['listener', name, properties.n]));
    analytics.track('Signed Up', {n: 1}, {}, ({event}) => told.push(['callback', event.event, event.userId]));
"""


@pytest.mark.parametrize("script", [f"analytics.identify('u1'); {LISTENERS}"], indirect=True)
def test_listeners_and_callbacks_are_told_of_what_the_collector_has_made(visitor: Visitor, watched: Collector) -> None:
    visitor.visit("/")
    visitor.until(lambda: len(visitor.evaluate("() => told")) == 2, "both to be told")
    assert sorted(visitor.evaluate("() => told")) == [["callback", "Signed Up", "u1"], ["listener", "Signed Up", 1]]
    assert names(watched, 3) == ["page", "identify", "Signed Up"]


PLUGIN = """
    const track = (context) => { context.updateEvent('properties.seen', true); return context; };
    const load = () => Promise.resolve();
    analytics.register({name: 'Enriching', type: 'enrichment', version: '1', load, isLoaded: () => true, track});
    analytics.track('Signed Up', {n: 1});
"""


@pytest.mark.parametrize("script", [PLUGIN], indirect=True)
def test_what_a_plugin_has_to_see_waits_for_python(visitor: Visitor, watched: Collector, faults: Faults) -> None:
    visitor.visit("/")
    assert names(watched, 2) == ["page", "Signed Up"]
    assert watched.events()[1]["properties"] == {"n": 1, "seen": True}
    assert "/v1/early" not in {post.path for post in faults.posted}


class TestConsent:
    @pytest.fixture
    def options(self) -> dict[str, Any]:
        return OPTIONS | {"consent": "required"}

    def test_nothing_goes_before_a_yes(self, visitor: Visitor, watched: Collector, faults: Faults) -> None:
        visitor.page.add_init_script(NO_LOADER)
        visitor.page.goto(visitor.base_url)
        visitor.until(lambda: visitor.evaluate("() => document.readyState === 'complete'"), "the page to be there")
        assert [post.path for post in faults.posted] == []
        assert not visitor.storage.all()
        visitor.evaluate("() => analytics.consent(true)")
        assert names(watched, 3) == ["page", "identify", "Signed Up"]


def test_where_the_collector_can_not_python_sends(visitor: Visitor, watched: Collector, faults: Faults) -> None:
    faults.answer_next(503)
    visitor.visit("/")
    assert names(watched, 3) == ["page", "identify", "Signed Up"]
    assert visitor.identity.cookie_user_id == "u1"
    assert [event["userId"] for event in watched.events()] == [None, "u1", "u1"]
    visitor.errors.clear()


def test_what_was_kept_but_not_answered_is_kept_once(visitor: Visitor, watched: Collector, faults: Faults) -> None:
    faults.answer_next(500, lost=True)
    visitor.visit("/")
    visitor.evaluate("() => analytics.track('Later')")
    assert names(watched, 4) == ["page", "identify", "Signed Up", "Later"]
    assert len({event["anonymousId"] for event in watched.events()}) == 1
    visitor.errors.clear()


def test_a_page_without_python_goes_on_this_way(visitor: Visitor, watched: Collector) -> None:
    visitor.page.add_init_script(NO_LOADER)
    visitor.page.goto(visitor.base_url)
    names(watched, 3)
    visitor.until(lambda: visitor.identity.cookie_user_id == "u1", "the answer to be written")
    visitor.evaluate(
        "() => { for (let i = 0; i < 5; i++) analytics.track('Clicked', {i}); analytics.identify('u2', {a: 1}); }"
    )
    assert names(watched, 9)[3:] == ["Clicked"] * 5 + ["identify"]
    visitor.until(lambda: visitor.identity.cookie_user_id == "u2", "the answer to be written")
    assert visitor.storage.all()["ajs_user_traits"] == '{"a":1}'
    visitor.until(lambda: not any("satsuma_early" in key for key in visitor.storage.all()), "nothing to be left behind")


@pytest.mark.parametrize(
    "more",
    [
        {"disableClientPersistence": True},
        {"storage": {"stores": ["memory"]}},
        {"user": {"cookie": {"key": "my_user"}}},
    ],
    ids=["nothing kept", "stores of its own", "keys of its own"],
)
class TestVisitorsWhomOnlyPythonKnows:
    """What the collector is not told of the visitor, it can't go by; what it says of them, the page could not keep."""

    @pytest.fixture
    def options(self, more: dict[str, Any]) -> dict[str, Any]:
        return OPTIONS | more

    def test_their_calls_wait_for_python(self, visitor: Visitor, watched: Collector, faults: Faults) -> None:
        visitor.visit("/")
        visitor.evaluate("() => analytics.track('Later')")
        assert names(watched, 4) == ["page", "identify", "Signed Up", "Later"]
        assert [event["userId"] for event in watched.events()] == [None, "u1", "u1", "u1"]
        assert len({event["anonymousId"] for event in watched.events()}) == 1
        assert "/v1/early" not in {post.path for post in faults.posted}


FULL = """
    const set = Storage.prototype.setItem;
    Storage.prototype.setItem = function (key, value) {
        if (key === "ajs_user_traits") throw new DOMException("full", "QuotaExceededError");
        return set.call(this, key, value);
    };
"""


def test_an_answer_that_can_not_be_written_is_made_by_python(visitor: Visitor, watched: Collector) -> None:
    visitor.page.add_init_script(FULL)
    visitor.visit("/")
    visitor.evaluate("() => analytics.track('Later')")
    assert names(watched, 4) == ["page", "identify", "Signed Up", "Later"]
    assert visitor.evaluate("() => analytics.user().traits()") == {"plan": "pips"}


class TestASnippetThatWasMadeWithoutTheOption:
    """It does not have what sends calls, but the loader does."""

    @pytest.fixture
    def options(self) -> dict[str, Any]:
        return {}

    def test_its_calls_go_as_soon_as_the_loader_is_there(
        self, visitor: Visitor, watched: Collector, faults: Faults
    ) -> None:
        visitor.page.add_init_script(OPTION_OF_THE_SCRIPT)
        visitor.page.route("**/*.wasm", lambda route: None)
        visitor.page.goto(visitor.base_url)
        assert names(watched, 3) == ["page", "identify", "Signed Up"]
        assert {post.path for post in faults.posted} == {"/v1/early"}


OPTION_OF_THE_SCRIPT = """
    Object.defineProperty(HTMLElement.prototype, "dataset", {get: () => ({options: '{"early": true}'})});
"""
"""Whatever script asks for its own options has them."""


def test_the_first_calls_go_before_anything_else_is_asked_for(visitor: Visitor, watched: Collector) -> None:
    asked: list[str] = []
    visitor.page.on("request", lambda request: asked.append(request.url.rpartition("/")[2]))
    visitor.page.goto(visitor.base_url)
    assert names(watched, 3) == ["page", "identify", "Signed Up"]
    visitor.until(lambda: "analytics.min.js" in asked, "the loader to be asked for")
    assert asked.index("early") < asked.index("analytics.min.js")


@pytest.mark.parametrize("without", ["", "delete window.Temporal"], ids=["as it is", "without Temporal"])
def test_events_have_the_zone_of_the_browser(visitor: Visitor, watched: Collector, without: str) -> None:
    """Of the collector's making, and of Python's in the page."""
    session = visitor.page.context.new_cdp_session(visitor.page)
    session.send("Emulation.setTimezoneOverride", {"timezoneId": "Europe/Vienna"})
    visitor.page.add_init_script(without)
    visitor.visit("/")
    visitor.evaluate("() => analytics.track('Later')")
    assert names(watched, 4)[3] == "Later"
    assert {event["context"]["timezone"] for event in watched.events()} == {"Europe/Vienna"}
