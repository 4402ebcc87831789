"""How well it is known whose an event is, as the console tells it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from console.conftest import TOKEN, Desk
from satsuma.platforms.server import sign_user_id
from satsuma_server.console import Console
from satsuma_server.console.presenters.verification import mark_of, verification_advice
from satsuma_server.identity.rules import ProfileSettings
from satsuma_server.log.shared import SharedLog
from satsuma_server.profiles.projection import Profiles
from satsuma_server.projections.app import create_worker
from satsuma_server.settings import Settings, Source
from satsuma_server.testing import running
from starlette.testclient import TestClient

SECRET = "signing-secret-0123456789abcdef-0123"
SOURCES = (Source("shop", identify="signed", signing_secrets=(SECRET,)), Source("open"))


def parts(settings: Settings, log: SharedLog) -> list[Any]:
    profiles = Profiles(settings, log)
    return [profiles, Console(settings, log, profiles=profiles)]


@pytest.fixture
def signed_desk(tmp_path: Path) -> Iterator[Desk]:
    settings = Settings(tmp_path, token=TOKEN, sources=SOURCES, profiles=ProfileSettings(links_per_hour=2))
    with (
        running(tmp_path, token=TOKEN, sources=SOURCES) as collector,
        TestClient(create_worker(settings, SharedLog(tmp_path), parts)) as web,  # type: ignore[arg-type]
    ):
        desk = Desk(collector, web)
        desk.log_in()
        yield desk


def test_the_console_tells_what_is_verified_and_what_is_claimed(signed_desk: Desk) -> None:
    signature = sign_user_id("ann", SECRET, "shop")
    signed_desk.send(
        {"type": "identify", "userId": "ann", "anonymousId": "attacker"},
        {"type": "identify", "userId": "ann", "anonymousId": "phone", "context": {"signature": signature}},
        {"type": "page", "anonymousId": "phone"},
    )
    claimed = signed_desk.see("events/1", "only claimed")
    assert '<span class="worth claimed">claimed</span>' in claimed
    verified = signed_desk.see("events/2", "The userId is verified")
    assert '<span class="worth verified">verified</span>' in verified
    assert signature not in verified
    assert 'class="worth' not in signed_desk.see("events/3")
    signed_desk.see("people", "people/user_id:ann")
    person = signed_desk.see("people/user_id:ann", "worth verified")
    assert "attacker" not in person
    assert "believes signed userIds only" in signed_desk.see("sources")


def test_the_console_warns_of_who_guesses_ids(signed_desk: Desk) -> None:
    for number in range(6):
        event = {"type": "identify", "userId": "ann", "anonymousId": f"junk{number}"}
        signed_desk.send({**event, "context": {"ip": f"203.0.113.{number}"}}, source="open")
    assert "somebody may be guessing ids" in signed_desk.see("people", "Worth a look")
    person = signed_desk.see("people/user_id:ann", "junk1")
    assert person.count('class="link o-added"') == 2
    assert 'class="worth' not in person, "where nothing is verified, nothing is said of it"


@pytest.mark.parametrize("sent", [{}, None, 1, {"verification": ["signed"]}, {"verification": "other"}])
def test_an_event_that_says_nothing_of_it_has_no_mark(sent: object) -> None:
    event = {"type": "track", "userId": "ann", "context": sent}
    assert (mark_of(event), verification_advice(event)) == ("", [])
