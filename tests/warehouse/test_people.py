"""Profiles as tables: who is who, to be joined with what they did."""

from __future__ import annotations

import asyncio
from pathlib import Path

from satsuma_server.errors import UnavailableError
from satsuma_server.identity.identifiers import Key
from satsuma_server.log.shared import SharedLog
from satsuma_server.profiles.projection import Profiles
from satsuma_server.profiles.tables import ProfileTables
from satsuma_server.settings import Settings
from satsuma_server.warehouse.projection import WarehouseProjection
from warehouse.made import event
from warehouse.test_durability import fill

WHO_DID_WHAT = """
SELECT p.user_id, t.event FROM demo.tracks t
JOIN profiles.identity_map m ON m.id = t.anonymous_id AND m.id_type = 'anonymous_id'
JOIN profiles.profiles p USING (profile) ORDER BY t.seq
"""


async def has_seen(profiles: Profiles, seq: int) -> bool:
    try:
        return (await profiles.totals()).seq >= seq
    except UnavailableError:
        return False


def test_profiles_stand_beside_events_and_go_with_the_person(tmp_path: Path) -> None:
    fill(
        tmp_path,
        [
            event(1, event="Product Viewed"),
            event(2, "identify", userId="u", traits={"plan": "free"}),
            event(3, event="Signed Up", anonymousId="other"),
        ],
    )

    async def work() -> None:
        settings = Settings(tmp_path)
        log = SharedLog(tmp_path)
        profiles, warehouse = Profiles(settings, log), WarehouseProjection(settings, log)
        tables = ProfileTables(settings, profiles, warehouse)
        await profiles.start()
        await warehouse.load_all()
        async with asyncio.timeout(60):
            while not await has_seen(profiles, 3):
                await asyncio.sleep(0.05)
        await tables.copy()
        assert (await warehouse.query(WHO_DID_WHAT)).rows == [["u", "product_viewed"], [None, "signed_up"]]
        traits = await warehouse.query("SELECT name, value, updated_at FROM profiles.profile_traits")
        assert traits.rows == [["plan", '"free"', "2026-04-23 22:38:02.550"]]
        await profiles.forget([Key("user_id", "u"), Key("anonymous_id", "a")], 3)
        await tables.forget(["u"], ["a"])
        assert (await warehouse.query("SELECT count(*) FROM profiles.identity_map WHERE id IN ('u', 'a')")).rows == [
            [0]
        ]
        for part in (tables, warehouse, profiles):
            await part.stop()
        await log.close()

    asyncio.run(work())
