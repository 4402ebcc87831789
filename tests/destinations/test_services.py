"""What particular services get, and that nobody's anonymous history is lost in those that want an alias first."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from destinations.models import TOKEN, Amplitude, Ga4, Kissmetrics, Mixpanel, PostHog
from destinations.receiver import Received, is_done, receiving, until, working, write
from satsuma_server.testing import running
from starlette.responses import PlainTextResponse, Response

ANN = str(uuid.UUID("0b8a4c7e-5a52-4f0c-9f6b-0e3a2ac5d111"))
"""The anonymousId of Ann's browser."""

PHONE = str(uuid.UUID("9d6a0b6c-2f3b-4cf8-8a51-7c1a2f4de222"))


def event(id: str, type: str, at: int, **more: Any) -> dict[str, Any]:
    time = f"2026-11-29T05:00:{at:02}.000Z"
    common = {"anonymousId": None, "userId": None, "timestamp": time, "receivedAt": time}
    return {"messageId": id, "type": type, **common, **more}


def visit() -> list[dict[str, Any]]:
    """Ann looks around, signs up, which calls no alias, buys something and comes back by phone."""
    known = {"anonymousId": ANN, "userId": "ann"}
    return [
        event("e1", "page", 1, anonymousId=ANN, name="Home", properties={"url": "https://shop.example/"}),
        event("e2", "track", 2, anonymousId=ANN, event="Product Viewed", properties={"sku": "s1"}),
        event("e3", "identify", 3, **known, traits={"email": "ann@shop.example", "plan": "free"}),
        event("e4", "track", 4, **known, event="Signed Up"),
        event("e5", "track", 5, userId="ann", event="Order Completed", properties={"order_id": "o1", "revenue": 20.5}),
        event("e6", "screen", 6, anonymousId=PHONE, userId="ann", name="Account"),
        event("e7", "group", 7, **known, groupId="acme", traits={"seats": 5}),
        # By the specification, this is too late. Ours does nothing more for it.
        event("e8", "alias", 8, userId="ann", previousId=ANN),
        event("e9", "track", 9, **known, event="Ünusual näme! " * 9, properties={"_x": ["a"], "y" * 90: "z" * 900}),
    ]


def replayed_as_called(model: Mixpanel) -> list[int]:
    """Send a visit as the page made it, identify before alias; return the funnel."""
    made: list[tuple[str, dict[str, Any]]] = [
        ("Product Viewed", {"distinct_id": ANN}),
        ("Signed Up", {"distinct_id": "ann"}),
        ("$create_alias", {"distinct_id": ANN, "alias": "ann"}),
        ("Order Completed", {"distinct_id": "ann"}),
    ]
    for place, (name, properties) in enumerate(made):
        common = {"$insert_id": str(place), "time": 1_790_000_000_000 + place}
        model.take({"event": name, "properties": {**common, **properties}})
    return model.funnel("Product Viewed", "Signed Up", "Order Completed")


FUNNEL = ("Product Viewed", "Signed Up", "Order Completed")


def test_the_model_loses_the_anonymous_history_where_alias_comes_late() -> None:
    assert replayed_as_called(Mixpanel("legacy")) == [1, 0, 0]


@pytest.mark.parametrize("id_merge", ["legacy", "original", "simplified"])
def test_mixpanel_has_the_whole_funnel(tmp_path: Path, id_merge: str) -> None:
    model = Mixpanel(id_merge)
    deliver(tmp_path, model, type="mixpanel", token={"env": "TOKEN"}, id_merge=id_merge)
    assert model.funnel(*FUNNEL) == [1, 1, 1]
    assert model.profiles[model.resolve("ann")] == {"$email": "ann@shop.example", "plan": "free"}
    names = [one["event"] for one in model.events.values()]
    links = {"legacy": ["$create_alias"] * 2, "original": ["$identify"] * 2, "simplified": []}[id_merge]
    assert [name for name in names if name in ("$create_alias", "$identify", "$merge")] == links
    assert names.count("Loaded a Page") == names.count("Loaded a Screen") == 1


def test_mixpanel_is_told_of_an_alias_once_also_when_events_come_again(tmp_path: Path) -> None:
    model = Mixpanel("legacy")
    settings = {"type": "mixpanel", "token": {"env": "TOKEN"}, "id_merge": "legacy"}
    deliver(tmp_path, model, **settings)
    deliver(tmp_path, model, again=True, **settings)
    sent = [one["event"] for path, body in model.requests if path == "/import" for one in body]
    assert sent.count("$create_alias") == 2
    assert sent.count("Signed Up") == 2
    assert model.funnel(*FUNNEL) == [1, 1, 1]


def test_what_mixpanel_names_as_failed_is_set_aside_and_the_rest_is_there(tmp_path: Path) -> None:
    model = Mixpanel("simplified")
    bad = event("bad", "track", 1, userId="ann", event="")
    failed = deliver(tmp_path, model, events=[bad, *visit()], type="mixpanel", token={"env": "TOKEN"})
    assert [(one["key"], one["reason"]) for one in failed] == [("bad", "event: is invalid")]
    assert model.funnel(*FUNNEL) == [1, 1, 1]


def test_kissmetrics_has_one_person_though_the_alias_came_late(tmp_path: Path) -> None:
    model = Kissmetrics()
    deliver(tmp_path, model, type="kissmetrics", key={"env": "TOKEN"})
    assert model.people_who("Product Viewed", "Signed Up", "Order Completed") == {ANN}
    assert model.properties["ann"]["email"] == "ann@shop.example"


def test_amplitude_gets_ids_times_and_keys(tmp_path: Path) -> None:
    model = Amplitude()
    bad = event("bad", "track", 1, userId="ann", event="")
    failed = deliver(tmp_path, model, events=[bad, *visit()], type="amplitude", key={"env": "TOKEN"})
    assert [(one["key"], one["reason"]) for one in failed] == [("bad", "event_type: missing")]
    assert [*model.events] == ["e1", "e2", "e3", "e4", "e5", "e6", "e9"]
    assert model.events["e3"]["user_properties"] == {"email": "ann@shop.example", "plan": "free"}
    assert (model.events["e3"]["device_id"], model.events["e3"]["user_id"]) == (ANN, "ann")
    assert model.events["e1"]["event_type"] == "Viewed Home Page"


def test_google_analytics_gets_its_own_names(tmp_path: Path) -> None:
    model = Ga4()
    failed = deliver(tmp_path, model, type="ga4", measurement_id="G-TEST", secret={"env": "TOKEN"})
    assert failed == []
    assert [one["name"] for one in model.events[:4]] == ["page_view", "view_item", "sign_up", "purchase"]
    purchase = model.events[3]
    assert (purchase["client_id"], purchase["user_id"]) == ("ann", "ann")
    assert (purchase["params"]["transaction_id"], purchase["params"]["value"]) == ("o1", 20.5)
    assert model.events[0]["params"]["page_location"] == "https://shop.example/"


def test_posthog_is_told_who_is_who(tmp_path: Path) -> None:
    model = PostHog()
    deliver(tmp_path, model, type="posthog", key={"env": "TOKEN"})
    assert model.links == {(ANN, "ann"), (PHONE, "ann")}
    made = list(model.events.values())
    assert [one["event"] for one in made[:4]] == ["$pageview", "Product Viewed", "$identify", "Signed Up"]
    assert made[2]["properties"]["$set"] == {"email": "ann@shop.example", "plan": "free"}
    assert made[0]["properties"]["$process_person_profile"] is False


def test_a_second_collector_has_the_same_events_by_the_keys_of_their_sources(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", "their-key")
    (data := tmp_path / "data").mkdir()
    context = {"ip": "192.0.2.1", "verification": "server", "library": {"name": "x"}}
    write(data, [{**one, "context": context} for one in visit()], "shop")
    write(data, [event("b1", "track", 1, anonymousId=ANN, event="")], "blog")
    with running(tmp_path / "other") as other:
        chain = {"name": "crm", "type": "segment", "url": other.url, "write_key": {"env": "TOKEN"}}
        with working(data, {**chain, "write_keys": {"blog": "their-blog"}}) as worker:
            until(lambda: is_done(worker, 10))
            failed = worker.get("/v1/destinations/crm/failed").json()
        stored = other.events()
    assert [one["messageId"] for one in stored] == [one["messageId"] for one in visit()]
    assert [one["timestamp"] for one in stored] == [one["timestamp"] for one in visit()]
    assert stored[0]["context"] == {"ip": "192.0.2.1", "userAgent": None, "library": {"name": "x"}}
    assert [one["key"] for one in failed] == ["b1"]
    assert ".event" in failed[0]["answer"]


def test_a_wrong_key_of_amplitude_holds_events_back_and_fails_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from destinations.receiver import status

    monkeypatch.setenv("TOKEN", "a-wrong-key")
    write(tmp_path, visit())
    with receiving(Amplitude()) as receiver:
        table = {"name": "crm", "type": "amplitude", "url": receiver.url, "key": {"env": "TOKEN"}}
        with working(tmp_path, table) as worker:
            until(lambda: status(worker)["problem"] == "it does not know the API key")
            assert status(worker)["cursor"] == 0


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", TOKEN)


def deliver(
    tmp_path: Path,
    model: Callable[[Received], Response],
    events: list[dict[str, Any]] | None = None,
    *,
    again: bool = False,
    **table: Any,
) -> list[dict[str, Any]]:
    """Deliver events to a model of a service; return what has failed."""
    problems: list[Exception] = []

    def answer(request: Received) -> Response:
        try:
            return model(request)
        except Exception as error:
            problems.append(error)
            return PlainTextResponse(repr(error), 422)

    events = visit() if events is None else events
    if not again:
        write(tmp_path, events)
    with ExitStack() as stack:
        receiver = stack.enter_context(receiving(answer))
        worker = stack.enter_context(working(tmp_path, {"name": "crm", "url": receiver.url, **table}))
        until(lambda: is_done(worker, len(events)))
        if again:
            worker.post("/v1/destinations/crm/replay", json={"seq": 1}).raise_for_status()
            until(lambda: is_done(worker, len(events)))
        failed: list[dict[str, Any]] = worker.get("/v1/destinations/crm/failed").json()
    if problems:
        raise problems[0]
    return failed
