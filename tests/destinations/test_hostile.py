"""What anybody can send with a write key makes no service take two people for one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from destinations.models import TOKEN, Mixpanel, PostHog
from destinations.receiver import is_done, receiving, until, working, write
from destinations.test_services import ANN, FUNNEL, PHONE, deliver, event
from satsuma_server.errors import SettingsError
from satsuma_server.settings import make_settings


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", TOKEN)


def attacks(**properties: Any) -> list[dict[str, Any]]:
    """Ann's history, and then events of somebody else who would like to be Ann."""
    known = {"anonymousId": ANN, "userId": "ann"}
    thief = {"anonymousId": PHONE, "properties": properties}
    names = ("$merge", "$identify", "$create_alias", "$merge_dangerously", "Order Completed")
    return [
        event("a1", "track", 1, anonymousId=ANN, event="Product Viewed"),
        event("a2", "track", 2, **known, event="Signed Up"),
        *(event(f"b{place}", "track", place, **thief, event=name) for place, name in enumerate(names, 3)),
    ]


@pytest.mark.parametrize("id_merge", ["legacy", "original", "simplified"])
def test_no_event_of_a_stranger_merges_people_in_mixpanel(tmp_path: Path, id_merge: str) -> None:
    model = Mixpanel(id_merge)
    events = attacks(
        **{"$distinct_ids": ["ann", PHONE], "$user_id": "ann", "$device_id": ANN, "distinct_id": "ann", "alias": PHONE},
        **{"$identified_id": "ann", "$anon_id": PHONE, "token": "another"},
    )
    failed = deliver(tmp_path, model, events=events, type="mixpanel", token={"env": "TOKEN"}, id_merge=id_merge)
    assert model.funnel(*FUNNEL) == [1, 1, 0]
    assert sorted(one["key"] for one in failed) == ["b3", "b4", "b5"]


def test_no_event_of_a_stranger_merges_people_in_posthog(tmp_path: Path) -> None:
    model = PostHog()
    events = attacks(**{"$anon_distinct_id": ANN, "alias": ANN, "$set": {"email": "thief@shop.example"}})
    failed = deliver(tmp_path, model, events=events, type="posthog", key={"env": "TOKEN"})
    assert model.links == {(ANN, "ann")}
    assert not any("$set" in one["properties"] for one in model.events.values())
    assert sorted(one["key"] for one in failed) == ["b4", "b5", "b6"]


def test_a_user_id_that_is_only_claimed_goes_to_no_service(tmp_path: Path) -> None:
    def claim(id: str, type: str, worth: str, **more: Any) -> dict[str, Any]:
        context = {"verification": worth, "traits": {"email": "thief@shop.example"}}
        return event(id, type, 3, anonymousId=PHONE, userId="ann", context=context, **more)

    events = [
        event("a1", "track", 1, anonymousId=ANN, event="Product Viewed"),
        event("a2", "track", 2, anonymousId=ANN, userId="ann", event="Signed Up", context={"verification": "signed"}),
        claim("c1", "track", "claimed", event="Order Completed"),
        claim("c2", "identify", "claimed", traits={"email": "thief@shop.example"}),
        claim("c3", "alias", "public", previousId=PHONE),
        claim("c4", "track", "public", event="Order Completed"),
    ]
    model = Mixpanel("simplified")
    deliver(tmp_path, model, events=events, type="mixpanel", token={"env": "TOKEN"})
    assert model.funnel(*FUNNEL) == [1, 1, 0]
    assert model.profiles == {}
    assert len(model.events) == 4


def test_a_webhook_is_told_what_a_user_id_is_worth(tmp_path: Path) -> None:
    claimed = event("c1", "identify", 1, anonymousId=PHONE, userId="ann", context={"verification": "claimed"})
    write(tmp_path, [claimed])
    with (
        receiving() as receiver,
        working(tmp_path, {"name": "crm", "type": "webhook", "url": receiver.url}) as worker,
    ):
        until(lambda: is_done(worker, 1))
    assert receiver.events()[0]["context"] == {"verification": "claimed"}


def test_destinations_without_the_process_that_has_them_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "satsuma.toml"
    file.write_text('accept_any_key = true\nworker = false\n[[destinations]]\nname = "ours"\npython = "a:b"\n')
    with pytest.raises(SettingsError, match="destinations need the second process"):
        make_settings(file)
