"""The quick way in and the long one: what they keep is the same."""

from __future__ import annotations

import json
from typing import Any
from unittest import mock

from hypothesis import given
from hypothesis import strategies as st
from satsuma_server.errors import BadRequestError
from satsuma_server.http.responses import Faults
from satsuma_server.ingest import decode as decoding
from satsuma_server.ingest.client_info import ClientInfo
from satsuma_server.ingest.decode import decode
from satsuma_server.ingest.endpoint import _arrival, _sort
from satsuma_server.ingest.fast_path import FastEvent

TIMES = st.sampled_from(
    [
        None,
        "2020-04-23T22:38:48.550Z",
        "2020-04-23T22:38:48Z",
        "2020-04-23T22:38:48.5x0Z",
        "2020-W17-4T22:38:48.550Z",
        "2020-04-23T22:38:48.550+02:00",
        "2020-04-23T22:38+02.550Z",
        "9999-12-31T23:59:59.999Z",
        "2020-13-01T00:00:00.000Z",
        1587681528550,
        -5,
        True,
        "",
        "yesterday",
        {},
    ]
)
IDS = st.sampled_from([None, "", "a", "x" * 1024, "x" * 1025, 7, 7.0, True, [], "\u0000", "Jürgen", "\ud800"])
MAPS = st.sampled_from([None, {}, {"a": 1}, {"ip": "9.9.9.9", "n": None}, [], "x", {"big": 10**30}, {"f": 1.5e300}])


def deep(levels: int) -> Any:
    """Return a map within a map, and so on."""
    return {"in": deep(levels - 1) if levels else 1}


DEEP = st.sampled_from([deep(levels) for levels in (5, 7, 8, 20, 61, 63, 70)])
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "type": st.sampled_from(["track", "identify", "alias", "page", "tracks", 5, None]),
    "event": st.sampled_from(["Signed Up", " ", "", None, 3, "e" * 1025]),
    "name": st.sampled_from(["Home", None, 4]),
    **dict.fromkeys(("userId", "anonymousId", "groupId", "previousId", "messageId"), IDS),
    **dict.fromkeys(("properties", "traits", "context", "integrations"), MAPS | DEEP),
    **dict.fromkeys(("timestamp", "originalTimestamp", "sentAt", "receivedAt"), TIMES),
    "writeKey": st.sampled_from(["k", None, 1]),
    "_metadata": MAPS,
    "foo": DEEP,
}
LIKELY = {"type": "track", "event": "Signed Up", "anonymousId": "a", "messageId": "m", "userId": "u"}
EVENTS = st.tuples(st.sampled_from([{}, LIKELY]), st.fixed_dictionaries({}, optional=FIELDS)).map(
    lambda two: two[0] | two[1]
)


def kept(body: bytes, kind: str) -> tuple[list[Any], list[Any], str | None]:
    caller = ClientInfo(write_key=None, origin=None, user_agent="agent", encoding="", ip="192.0.2.1")
    decoded = decode(body, kind)
    with (
        mock.patch("satsuma_server.ingest.endpoint.time.time", return_value=1_700_000_000.5),
        mock.patch("satsuma_server.ingest.enrichment._new_id", return_value="made"),
    ):
        faults = Faults()
        arrivals = _sort(decoded, "source", _arrival(decoded, caller, kind), faults)
    return [json.loads(one) for one in arrivals.bodies], faults.told, decoded.write_key


def outcome(body: bytes, kind: str) -> Any:
    try:
        return kept(body, kind)
    except BadRequestError as error:
        return str(error)


def the_long_way(body: bytes, kind: str) -> Any:
    with mock.patch.object(decoding, "read_fast", return_value=None):
        return outcome(body, kind)


@given(st.lists(EVENTS, min_size=1, max_size=4), TIMES, MAPS, MAPS, st.sampled_from(["batch", "import"]))
def test_a_batch_is_kept_alike(events: list[Any], sent: Any, context: Any, integrations: Any, kind: str) -> None:
    body = json.dumps({"batch": events, "sentAt": sent, "context": context, "integrations": integrations}).encode()
    assert outcome(body, kind) == the_long_way(body, kind)


@given(EVENTS, st.sampled_from(["identify", "track", "alias"]))
def test_a_single_event_is_kept_alike(event: Any, kind: str) -> None:
    body = json.dumps(event).encode()
    assert outcome(body, kind) == the_long_way(body, kind)


def test_what_stock_clients_send_goes_the_quick_way() -> None:
    sent = {**LIKELY, "_metadata": {"bundled": []}, "context": {"page": {"path": "/"}}, "writeKey": "k"}
    for kind, body in (("track", sent), ("batch", {"batch": [sent] * 2, "sentAt": "now", "writeKey": "k"})):
        assert all(isinstance(event, FastEvent) for event in decode(json.dumps(body).encode(), kind).events)


def test_an_event_is_measured_as_it_is_kept() -> None:
    roomy, large = ({**LIKELY, "properties": {"text": "é" * count}} for count in (10_000, 17_000))
    body = json.dumps({"batch": [roomy, large]}).encode()
    kept_events, faults, _ = kept(body, "batch")
    assert len(kept_events) == 1
    assert [fault["reason"].endswith("bytes, the limit is 32768") for fault in faults] == [True]
