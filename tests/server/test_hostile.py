"""Made-up input: no answer but our own, nothing that was acknowledged is missing, nothing stored is unreadable."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hostile
import psutil
import pytest
import schemathesis
from hostile import Target
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from satsuma_server.masking import WITHHELD
from satsuma_server.openapi import document
from satsuma_server.settings import Limit, Limits
from satsuma_server.testing import running
from schemathesis import GenerationMode

MOST_GROWTH = 150 << 20
FEW, MANY = 150, 12_000


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Target]:
    with asyncio.Runner() as runner:
        opened = Target.of(tmp_path, runner)
        yield opened
        runner.run(opened.close())


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Target]:
    """A collector whose one source wants signed userIds, with limits for it and for each address."""
    with asyncio.Runner() as runner:
        opened = Target.of(
            tmp_path / "guarded", runner, sources=(hostile.SIGNED,), limits=Limits(address=Limit(0.01, burst=20))
        )
        yield opened
        runner.run(opened.close())


def many(test: Callable[..., None], examples: int) -> Callable[..., None]:
    """Return a test that hypothesis runs so many times, the same each time."""
    chosen = settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink] if examples <= FEW else [Phase.generate],
    )
    return chosen(test)


def post_anything(target: Target, examples: int) -> None:
    """Post bodies without sense or reason."""

    @given(hostile.ADDRESSES, hostile.BODIES, hostile.HEADERS)
    def post(path: str, body: bytes, headers: dict[str, bytes]) -> None:
        answer = target.post(path, body, headers)
        stored, letters = target.new_events(), target.new_letters()
        if answer.status_code == 200:
            assert len(letters) == len(answer.json().get("refused", []))
        else:
            assert not stored

    many(post, examples)()


def post_batches(target: Target, examples: int) -> None:
    """Post batches whose events are marked: each is in the log or among the refused, as the answer says."""

    @given(st.lists(st.dictionaries(st.sampled_from(hostile.FIELDS), hostile.JSON, max_size=5), min_size=1, max_size=4))
    def post(made_up: list[dict[str, Any]]) -> None:
        events = [{"type": "page", "userId": "u", **event} for event in made_up]
        for number, event in enumerate(events):
            event["messageId"] = f"{len(target.inputs)}-{number}"
        answer = target.post("/v1/batch", json.dumps({"batch": events}, allow_nan=True).encode())
        compare(target, answer, [event["messageId"] for event in events])

    many(post, examples)()


def post_odd_fields(target: Target) -> None:
    """Post events of each type with something odd in one field, for every field and everything odd."""
    for number, (name, value) in enumerate(itertools.product(hostile.FIELDS, hostile.ODD)):
        path = ("/v1/track", "/v1/alias", "/v1/batch")[number % 3]
        body = b'{%s,"previousId":"p","userId":"u","%s":%s}' % (hostile.GOOD, name.encode(), value)
        target.post(path, b'{"batch":[%s,{%s}]}' % (body, hostile.GOOD) if path == "/v1/batch" else body)
    target.new_events()


def compare(target: Target, answer: Any, ids: list[str]) -> None:
    """Check that each event is exactly where the answer says."""
    stored = [event["messageId"] for event in target.new_events()]
    letters = target.new_letters()
    if answer.status_code == 200:
        refused = [fault["index"] for fault in answer.json().get("refused", [])]
    else:
        refused = list(range(len(ids))) if letters else []
        assert not stored
    assert stored == [one for number, one in enumerate(ids) if number not in refused and answer.status_code == 200]
    assert len(letters) == len(refused)
    for number, letter in zip(refused, letters, strict=True):
        # Where addresses are masked, what can't be decoded is kept without its text, since it can't be masked.
        assert ids[number] in letter["raw"] or letter["reason"].endswith(WITHHELD), letter


def post_claims(target: Target, examples: int) -> None:
    """Post events of a source that wants userIds signed, with signatures that are right, wrong, and anybody's."""
    senders = st.integers(0, examples // 10).map(lambda number: f"10.0.{number >> 8}.{number & 255}".encode())

    @given(st.lists(hostile.CLAIMS, min_size=1, max_size=4), st.none() | hostile.SIGNATURES, senders)
    def post(claims: list[tuple[str, Any]], of_batch: Any, sender: bytes) -> None:
        batch = [
            {"type": "track", "event": "E", "anonymousId": "a", "userId": user, "context": {"signature": signature}}
            for user, signature in claims
        ]
        body = {"writeKey": hostile.SIGNED.write_key, "batch": batch, "context": {"signature": of_batch}}
        answer = target.post("/v1/batch", json.dumps(body).encode(), {"x-forwarded-for": sender})
        stored, letters = target.new_events(), target.new_letters()
        # What Python writes of a number that is none, no collector reads: such an event is refused, and no other.
        refused = {fault["index"] for fault in answer.json().get("refused", [])}
        kept = [claim for number, claim in enumerate(claims) if number not in refused and answer.status_code == 200]
        for (user, signature), event in zip(kept, stored, strict=True):
            proof = signature or of_batch
            is_proven = isinstance(proof, str) and hostile.OWNERS.get(proof) == user
            assert event["context"]["verification"] == ("signed" if is_proven else "claimed")
        written = json.dumps([stored, letters])
        assert not any(signature in written for signature in hostile.OWNERS)

    many(post, examples)()


def post_large(target: Target, times: int) -> None:
    """Post what is far too large, packed and not."""
    for number in range(times):
        for body in (*hostile.LARGE, *hostile.BOMBS):
            path = ("/v1/batch", "/v1/track", "/v1/m")[number % 3]
            assert target.post(path, body).status_code == 413


def post_by_schema(url: str, examples: int, *modes: GenerationMode) -> int:
    """Call each operation of our OpenAPI document as it asks, or as it doesn't; return how many calls were made."""
    calls = 0

    def call(case: schemathesis.Case) -> None:
        nonlocal calls
        calls += 1
        if case.query and "follow" in case.query:
            case.query["follow"] = "0"  # An answer that goes on as long as events come has no end to wait for.
        case.call_and_validate(base_url=url, checks=hostile.CHECKS, timeout=hostile.SECONDS, headers=hostile.TOKEN)

    for found in schemathesis.openapi.from_dict(document()).get_all_operations():
        for mode in modes:
            # What takes nothing, or anything, can't be called wrongly.
            with contextlib.suppress(Unsatisfiable):
                many(given(found.ok().as_strategy(generation_mode=mode))(call), examples)()
    return calls


def test_every_field_may_hold_anything(target: Target) -> None:
    post_odd_fields(target)
    assert target.accepted > len(target.inputs) / 4


def test_whatever_is_posted_is_answered_and_what_is_stored_can_be_read(target: Target) -> None:
    post_anything(target, FEW)
    assert 0 < target.accepted < len(target.inputs)


def test_events_of_any_content_are_where_the_answer_says(target: Target) -> None:
    post_batches(target, FEW)
    assert target.seq > FEW / 2
    assert target.letter > 0


def test_only_a_signature_of_its_own_proves_a_user_id_and_none_is_kept(guarded: Target) -> None:
    post_claims(guarded, FEW)
    assert 0 < guarded.accepted < len(guarded.inputs), "limits have refused nothing, or all"


def test_what_is_far_too_large_is_refused(target: Target) -> None:
    post_large(target, 1)


def test_calls_made_from_our_openapi_document_are_answered_as_it_says(tmp_path: Path) -> None:
    with running(tmp_path) as collector:
        assert post_by_schema(collector.url, 2, GenerationMode.POSITIVE) > 30
        assert collector.events()


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_a_long_run_of_hostile_input_leaves_no_trace(
    target: Target, guarded: Target, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    process, started = psutil.Process(), time.monotonic()
    post_anything(target, MANY)
    post_batches(target, MANY // 2)
    post_odd_fields(target)
    post_large(target, 30)
    post_claims(guarded, MANY // 4)
    # hypothesis itself remembers what it made up, so memory is measured where it makes up nothing.
    target.replay()
    before = process.memory_info().rss
    target.replay()
    growth = process.memory_info().rss - before
    with running(tmp_path / "socket") as collector:
        calls = post_by_schema(collector.url, 60, *GenerationMode)
    inputs = len(target.inputs) + len(guarded.inputs) + calls
    with capsys.disabled():
        print(f"\n{inputs} inputs, {calls} of them by schema over a socket; {target.accepted} accepted")
        print(f"{target.seq} events stored; memory grew by {growth >> 20} MB; {time.monotonic() - started:.0f} s")
    assert inputs >= 20_000
    assert growth < MOST_GROWTH
