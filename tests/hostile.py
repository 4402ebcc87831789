"""Requests that nobody means well with: what hypothesis makes up, and a collector in this process that gets it."""

from __future__ import annotations

import asyncio
import gzip
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import httpx
import jwt
import msgspec
from hypothesis import strategies as st
from satsuma.platforms.server import sign_user_id
from satsuma.validation import IDENTIFIERS
from satsuma_server.app import create_app
from satsuma_server.ingest.endpoint import PATHS
from satsuma_server.log.sqlite import SqliteLog
from satsuma_server.settings import Settings, Source
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

SECONDS = 10
"""How long any answer may take."""

STATUSES = {200, 400, 401, 413, 415, 429}
Input = tuple[str, bytes, dict[str, bytes] | None]
TOKEN = {"authorization": "Bearer test-token"}
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
"""What every answer to a call made from our OpenAPI document is held against."""

FIELDS = (
    *IDENTIFIERS,
    *("type", "event", "name", "messageId", "timestamp", "originalTimestamp", "sentAt", "receivedAt", "seq"),
    *("context", "integrations", "properties", "traits", "writeKey", "batch"),
)
NUMBERS = (b"1e999", b"-1e999", b"1e-999", b"-0", b"9" * 19, b"9" * 20, b"-" + b"9" * 400, b"9" * 5000, b"1E400")
TEXTS = (b'"\\ud800"', b'"\\udc00\\ud800"', b'"\\ud83d\\ude00"', b'"\\u0000"', b'"\xed\xa0\x80"', b'"\xff"', b'"\x00"')
DEEP = tuple(b"[" * depth + b"]" * depth for depth in (63, 64, 1000, 9000))
NO_JSON = (b"NaN", b"Infinity", b"", b"{", b"}", b"tru", b"'a'", b"{} {}", b"\xef\xbb\xbf{}", "{}".encode("utf-16"))
TIMES = (b'"0001-01-01T00:00:00+14:00"', b'"9999-12-31T23:59:59.9999Z"', b'"2020-02-30T00:00:00Z"', b"253402300800000")
WRONG = (b"null", b"true", b"7", b"7.5", b'""', b'" "', b"[]", b"{}", b'"%s"' % (b"x" * 1025))
ODD = (*NUMBERS, *TEXTS, *DEEP, *TIMES, *WRONG)
LARGE = tuple(piece * (10_000_000 // len(piece)) for piece in (b"x", b"[", b'{"a":', b"0,"))
BOMBS = tuple(gzip.compress(piece * (50_000_000 // len(piece))) for piece in (b"\0", b"[", b'{"a":'))
GOOD = b'"type":"track","event":"E","anonymousId":"a"'


def members(*values: Any) -> st.SearchStrategy[bytes]:
    """Make up at most three members of an object: a name of `values`, and anything at all."""
    return st.lists(st.tuples(st.sampled_from(values), RAW), max_size=3).map(
        lambda found: b"".join(b',"%s":%s' % (name.encode(), value) for name, value in found)
    )


def as_header(text: str) -> bytes:
    return text.encode("latin-1")


ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT, inner, max_size=4),
    max_leaves=10,
)
RAW = st.sampled_from(ODD) | JSON.map(lambda value: json.dumps(value).encode())
SECRET = "s" * 40
SIGNED = Source("signed", identify="signed", signing_secrets=(SECRET,))
"""A source that believes only signed userIds."""

USERS = ("ann", "bob", "ann.")
_OWNERS = {sign_user_id(user, SECRET, SIGNED.write_key): user for user in USERS[:2]}
OWNERS = {**_OWNERS, **{f"{signature}=": user for signature, user in _OWNERS.items()}}
"""Signatures that are valid, and whose they are. With the padding that Base64 has elsewhere they are the same."""

WORTHLESS = (
    sign_user_id("ann", SECRET, "another-source"),
    sign_user_id("ann", "t" * 40, SIGNED.write_key),
    sign_user_id("ann", SECRET, SIGNED.write_key, anonymous_id="another browser"),
    jwt.encode({"sub": "ann", "aud": SIGNED.write_key, "exp": 1}, SECRET),
    jwt.encode({"sub": "ann", "aud": SIGNED.write_key}, SECRET),
    jwt.encode({"sub": "ann", "aud": SIGNED.write_key, "exp": 2**40}, None, algorithm="none"),
    jwt.encode({"sub": ["ann"], "aud": [SIGNED.write_key], "exp": 2**33}, SECRET),
    jwt.encode({"sub": "ann", "aud": SIGNED.write_key, "exp": "soon"}, SECRET),
    *(signature[:-1] for signature in _OWNERS),
    "..",
    "e" * 3_000,
)
"""Signatures that prove nothing."""

SIGNATURES = st.sampled_from([*OWNERS, *WORTHLESS]) | JSON
CLAIMS = st.tuples(st.sampled_from(USERS), SIGNATURES)
# Of two members of one name the last counts, so what is made up comes after what would do.
EVENTS = members(*FIELDS).map(lambda more: b"{%s%s}" % (GOOD, more))
BATCHES = st.builds(
    lambda inside, more: b'{"batch":[%s]%s}' % (b",".join(inside), more),
    st.lists(EVENTS | RAW | st.sampled_from(NO_JSON), max_size=5),
    members("context", "sentAt", "writeKey", "batch"),
)


@st.composite
def cut(draw: st.DrawFn, whole: bytes) -> bytes:
    """Lose the end, or have a byte turned over."""
    at = draw(st.integers(0, len(whole)))
    return whole[:at] + (
        bytes([whole[at] ^ 0x55]) + whole[at + 1 :] if at < len(whole) and draw(st.booleans()) else b""
    )


PLAIN = EVENTS | BATCHES | RAW | st.sampled_from(NO_JSON) | st.binary(max_size=200)
PACKED = PLAIN.map(gzip.compress)
BODIES = EVENTS | BATCHES | PLAIN | PACKED | (PLAIN | PACKED).flatmap(cut)
ADDRESSES = st.sampled_from(sorted((*PATHS, "/v1/early")))
LATIN = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"), max_size=30).map(as_header)
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "content-type": LATIN | st.sampled_from([b"application/json", b"text/plain", b"multipart/form-data"]),
        "content-encoding": LATIN | st.sampled_from([b"gzip", b"GZIP", b"br", b"identity"]),
        "authorization": LATIN | st.sampled_from([b"Basic " + b"k" * 3000, b"Basic azo=", b"Basic /w==", b"Basic"]),
        "x-write-key": LATIN,
        "user-agent": LATIN | st.just(b"\xff" * 5000),
        "origin": LATIN,
        "x-forwarded-for": LATIN | st.sampled_from([b"::1%" + b"z" * 5000, b"fe80::1%eth0", b"1.2.3.4, ::"]),
    },
)


@dataclass
class Target:
    """A collector that is called without a socket. Everything that it answers is looked at.

    Attributes:
        inputs: what it has got.
        accepted: how many of them it answered 200.
        seq, letter: what of its log and of what it refused has been read.
    """

    client: httpx.AsyncClient
    runner: asyncio.Runner
    log: SqliteLog
    inputs: list[Input] = field(default_factory=list)
    accepted: int = 0
    seq: int = 0
    letter: int = 0

    @classmethod
    def of(cls, data: Path, runner: asyncio.Runner, **given: Any) -> Self:
        """Return a collector with these settings, which takes any write key where none is among them."""
        settings = {"accept_any_key": "sources" not in given, **given}
        app = create_app(Settings(data, token="test-token", trust_proxy=True, mask_ip=True, worker=False, **settings))
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        return cls(httpx.AsyncClient(transport=transport, base_url="http://collector.test"), runner, app.state.log)

    def post(self, path: str, body: bytes, headers: dict[str, bytes] | None = None) -> httpx.Response:
        """Post, and check what holds for every answer."""
        self.inputs.append((path, body, headers))
        answer = self._ask(self.client.post(path, content=body, headers=headers))
        check(answer)
        self.accepted += answer.status_code == 200
        return answer

    def replay(self) -> None:
        """Post everything once more."""
        for path, body, headers in self.inputs:
            check(self._ask(self.client.post(path, content=body, headers=headers)))

    def new_events(self) -> list[dict[str, Any]]:
        """Return what was stored since the last call."""
        answer = self._ask(self.client.get(f"/v1/events?after={self.seq}", headers=TOKEN))
        found = [readable(line) for line in answer.content.splitlines()]
        assert [event["seq"] for event in found] == list(range(self.seq + 1, self.seq + 1 + len(found)))
        self.seq += len(found)
        return found

    def new_letters(self) -> list[dict[str, Any]]:
        """Return what was refused since the last call."""
        answer = self._ask(self.client.get(f"/v1/refused?after={self.letter}", headers=TOKEN))
        found = [msgspec.json.decode(line) for line in answer.content.splitlines()]
        self.letter = found[-1]["id"] if found else self.letter
        return found

    async def close(self) -> None:
        """Close the log."""
        await self.client.aclose()
        await self.log.close()

    def _ask(self, call: Any) -> httpx.Response:
        return self.runner.run(asyncio.wait_for(call, SECONDS))


def check(answer: httpx.Response) -> None:
    """Say that an answer is one of ours."""
    told = answer.json()
    assert answer.status_code in STATUSES, answer.text
    assert told["success"] is (answer.status_code == 200)
    if answer.status_code == 200:
        assert all({"index", "path", "reason"} == set(fault) for fault in told.get("refused", []))
    else:
        assert isinstance(told["error"]["message"], str)


def readable(line: bytes) -> dict[str, Any]:
    """Decode a stored line as the strictest reader would, and check what every event has."""
    event = msgspec.json.decode(line)
    assert event == json.loads(line)
    for name in ("messageId", "receivedAt", "timestamp", "originalTimestamp", "sentAt"):
        assert isinstance(event[name], str), name
    assert isinstance(event["userId"] or event["anonymousId"], str)
    assert isinstance(event["context"], dict)
    return event
