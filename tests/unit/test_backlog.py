"""Events that a plugin has failed on outlive their page, and pass the plugins of the next one."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from fakes import FakePlatform
from satsuma.analytics import Analytics
from satsuma.backlog import Backlog
from satsuma.options import Endpoint, LoadOptions
from satsuma.outbox import MOST_BYTES
from satsuma.plugins import Context, PluginKind


class Scrubber:
    """A plugin that takes the secret out of each event, once it works."""

    name = "Scrubber"
    kind = PluginKind.BEFORE

    def __init__(self, *, works: bool) -> None:
        self.works = works

    def track(self, context: Context) -> None:
        if not self.works:
            raise ValueError("not yet")
        context.event["properties"].pop("secret", None)


def visit(
    platform: FakePlatform, *, works: bool, calls: tuple[str, ...] = (), no: bool = False, **options: Any
) -> None:
    """Play one page from its beginning to its end."""

    async def page() -> None:
        analytics = Analytics(platform, Endpoint("demo", "https://collector"), LoadOptions.from_mapping(options))
        await analytics.register(Scrubber(works=works))
        analytics.initialize()
        tasks = [asyncio.ensure_future(analytics.track(name, {"secret": 1, "plain": 2})) for name in calls]
        for _ in range(9):
            await asyncio.sleep(0)
        if no:
            analytics.withdraw_consent()
        analytics.leave()
        for task in tasks:
            task.cancel()

    asyncio.run(page())


def kept(platform: FakePlatform) -> list[str]:
    return [text for key, text in platform.local_storage.items.items() if key.startswith("satsuma_backlog:")]


def test_the_next_page_has_its_plugins_see_what_a_page_had_not_got_through(platform: FakePlatform) -> None:
    visit(platform, works=False, calls=("A", "B"))
    assert not platform.sent
    visit(platform, works=True)
    sent = [request.body for request, _, _ in platform.sent] + [request.body for request in platform.last]
    assert sum(body.count('"event":"A"') for body in sent) == 1
    assert sum(body.count('"event":"B"') for body in sent) == 1
    assert not any("secret" in body for body in sent)
    assert not kept(platform)


@pytest.mark.parametrize("options", [{"disableClientPersistence": True}, {"consent": "required"}])
def test_nothing_is_kept_where_nothing_may_be(platform: FakePlatform, options: dict[str, Any]) -> None:
    visit(platform, works=False, calls=("A",), **options)
    assert not kept(platform)


def test_a_no_removes_what_is_kept(platform: FakePlatform) -> None:
    visit(platform, works=False, calls=("A",))
    assert kept(platform)
    visit(platform, works=False, no=True)
    assert not kept(platform)
    assert not platform.sent


def test_what_is_kept_is_bounded_and_nonsense_is_passed_over(platform: FakePlatform) -> None:
    ids = iter(["one", "two"])
    backlog = Backlog(platform.local_storage, "demo", lambda: next(ids), platform.warn)
    backlog.keep([{"type": "track", "event": f"{number}", "properties": {"t": "x" * 100_000}} for number in range(9)])
    [text] = kept(platform)
    assert len(text) <= MOST_BYTES + 100
    platform.local_storage.items["satsuma_backlog:demo:zero"] = '[5, {"type": "odd"}, {"type": "page"}]'
    platform.local_storage.items["satsuma_backlog:demo:nonsense"] = "{"
    platform.local_storage.items["satsuma_backlog:other:zero"] = '[{"type": "page"}]'
    assert [event.get("event", event["type"]) for event in backlog.take()] == ["4", "5", "6", "7", "8", "page"]
    assert list(platform.local_storage.items) == ["satsuma_backlog:other:zero"]


def test_a_storage_that_fails_is_warned_of_and_harms_nobody(platform: FakePlatform) -> None:
    platform.local_storage.broken = True
    visit(platform, works=False, calls=("A",))
    assert any("over the end of this page" in line for line in platform.warnings)
