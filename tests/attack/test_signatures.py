"""What is no signature proves nothing, whatever it looks like; and a true one is kept nowhere."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from satsuma.errors import ArgumentError
from satsuma.platforms.server import Client, sign_user_id
from satsuma_server.errors import SettingsError
from satsuma_server.ingest.signatures import LONGEST, MOST_FAILURES, Verifier
from satsuma_server.settings import Source, make_settings
from satsuma_server.testing import Collector, running

NEW, OLD = "new-signing-secret-0123456789abcdef", "old-signing-secret-0123456789abcdef"
KEY = "secret-key-of-a-server-0123456789abcdef"
SIGNED = Source("shop", secret_keys=(KEY,), identify="signed", signing_secrets=(NEW, OLD))
SERVER_ONLY = Source("app", secret_keys=(f"{KEY}-2",), identify="server")


def token(secret: str = NEW, algorithm: str = "HS256", **changes: Any) -> str:
    claims = {"sub": "u", "aud": "shop", "exp": time.time() + 60, **changes}
    return jwt.encode({k: v for k, v in claims.items() if v is not None}, secret, algorithm=algorithm)


def unsigned(algorithm: str, signature: str = "") -> str:
    parts = ({"alg": algorithm, "typ": "JWT"}, {"sub": "u", "aud": "shop", "exp": time.time() + 60})
    told = [base64.urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=").decode() for one in parts]
    return ".".join([*told, signature])


def worth(signature: object, user: str | None = "u", device: str | None = "a") -> str:
    return Verifier(SIGNED, is_server=False).verify(user, device, signature)


GOOD = {
    "the helper's": lambda: sign_user_id("u", NEW, "shop"),
    "the helper's, of one browser": lambda: sign_user_id("u", NEW, "shop", anonymous_id="a"),
    "another library's": token,
    "the rotated secret's": lambda: token(OLD),
    "expired within the clocks' difference": lambda: token(exp=time.time() - 30),
    "issued a little ahead": lambda: token(iat=time.time() + 30),
    "of two audiences": lambda: token(aud=["shop", "other"]),
}
BAD = {
    "a wrong secret": lambda: token("wrong-secret-0123456789abcdefghijkl"),
    "no algorithm": lambda: unsigned("none"),
    "no algorithm, in capitals": lambda: unsigned("NONE"),
    "no signature": lambda: unsigned("HS256"),
    "another algorithm": lambda: token(NEW * 2, algorithm="HS512"),
    "an asymmetric algorithm": lambda: unsigned("RS256", "AAAA"),
    "expired": lambda: token(exp=time.time() - 90),
    "for ever": lambda: token(exp=None),
    "for a year": lambda: token(exp=time.time() + 365 * 86_400),
    "not yet": lambda: token(nbf=time.time() + 300),
    "another source": lambda: token(aud="other"),
    "no source": lambda: token(aud=None),
    "another user": lambda: token(sub="U"),
    "no user": lambda: token(sub=None),
    "another browser": lambda: token(anonymousId="b"),
    "changed": lambda: token()[:-3] + "AAA",
    "cut": lambda: token().rpartition(".")[0],
    "nothing": lambda: "",
    "no text": lambda: {"sub": "u"},
    "a list": lambda: [1],
    "dots": lambda: "...",
    "not ASCII": lambda: "é.é.é",
    "a surrogate": lambda: "\ud800.a.b",
    "too long": lambda: token(pad="x" * LONGEST),
    "nested": lambda: base64.urlsafe_b64encode(b"[" * 1400).decode() + ".e30.AA",
    "endless": lambda: token(exp=1e300),
}


@pytest.mark.parametrize("kind", GOOD)
def test_a_signature_proves_its_user(kind: str) -> None:
    assert worth(GOOD[kind]()) == "signed"


@pytest.mark.parametrize("kind", BAD)
def test_what_is_no_signature_proves_nothing(kind: str) -> None:
    assert worth(BAD[kind]()) == "claimed"


def test_who_names_no_user_claims_nothing_and_a_server_only_source_believes_no_page() -> None:
    assert worth(token(), None) == "anonymous"
    source = Source("shop", identify="server", signing_secrets=(NEW,))
    assert Verifier(source, is_server=False).verify("u", "a", token()) == "public"
    assert Verifier(source, is_server=True).verify("u", "a", None) == "server"
    assert Verifier.of(Source("shop"), is_server=False) is None


def test_wrong_signatures_of_a_request_are_bounded() -> None:
    verifier = Verifier(SIGNED, is_server=False)
    for number in range(MOST_FAILURES):
        assert verifier.verify("u", "a", f"{number}") == "claimed"
    assert verifier.verify("u", "a", token()) == "claimed"


@pytest.mark.parametrize(
    "given",
    [("", NEW, "s", 60), ("u", "short", "s", 60), ("u", NEW, "", 60), ("u", NEW, "s", 0), ("u", NEW, "s", 1e9)],
)
def test_the_helper_says_what_it_can_not_sign(given: tuple[Any, ...]) -> None:
    with pytest.raises(ArgumentError):
        sign_user_id(*given[:3], seconds=given[3])


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('identify = "signed"', "needs signing_secrets"),
        ('secret_keys = ["short"]', "secret_keys has one of fewer than 32"),
        ('signing_secrets = ["short"]', "signing_secrets has one of fewer than 32"),
        ('identify = "perhaps"', "perhaps"),
    ],
)
def test_settings_that_protect_nobody_are_refused(tmp_path: Path, line: str, says: str) -> None:
    file = tmp_path / "satsuma.toml"
    file.write_text(f'[[sources]]\nwrite_key = "shop"\n{line}\n')
    with pytest.raises(SettingsError, match=says):
        make_settings(file)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Collector]:
    with running(tmp_path, write_keys=frozenset({"open"}), sources=(SIGNED, SERVER_ONLY)) as collector:
        yield collector


def post(collector: Collector, path: str, body: dict[str, Any], key: str = "shop") -> int:
    return httpx.post(f"{collector.url}/v1/{path}", json=body, auth=(key, ""), trust_env=False).status_code


def test_the_collector_notes_what_each_event_is_worth_and_nobody_else_can(shop: Collector) -> None:
    forged = {"verification": "server"}
    event = {"type": "identify", "userId": "u", "anonymousId": "a"}
    for context in (forged, {**forged, "signature": token()}, {**forged, "signature": "x.y.z"}):
        assert post(shop, "identify", {**event, "context": context}) == 200
    assert post(shop, "identify", {"anonymousId": "a", "context": forged}) == 200
    assert post(shop, "identify", {**event, "context": forged}, KEY) == 200
    assert post(shop, "identify", {**event, "context": {**forged, "signature": token()}}, "app") == 200
    assert post(shop, "identify", {**event, "context": {**forged, "signature": token()}}, "open") == 200
    assert post(shop, "batch", {"batch": [event, {**event, "userId": "v"}], "context": {"signature": token()}}) == 200
    noted = [one["context"].get("verification") for one in shop.events()]
    assert noted == ["claimed", "signed", "claimed", "anonymous", "server", "public", None, "signed", "claimed"]
    assert not any("signature" in one["context"] for one in shop.events())


@pytest.mark.parametrize("extra", [{}, {"unusual": 1}, {"type": "purchase"}, {"anonymousId": "a" * 5000}])
def test_a_signature_is_kept_nowhere(shop: Collector, tmp_path: Path, extra: dict[str, Any]) -> None:
    signature = token()
    event = {"type": "identify", "userId": "u", "context": {"signature": signature}, **extra}
    post(shop, "batch", {"batch": [event], "context": {"signature": signature}})
    raw = f'{{"batch": [{{"userId": "u", "context": {{"signature": "{signature}"}}, "type": 7}}]}}'
    httpx.post(f"{shop.url}/v1/batch", content=raw, auth=("shop", ""))
    names = [file for file in tmp_path.rglob("*") if file.is_file() and signature.encode() in file.read_bytes()]
    assert names == []


def test_the_client_of_a_server_needs_no_signature(shop: Collector) -> None:
    with Client(KEY, shop.url) as client:
        client.identify("u", {"plan": "paid"}, anonymous_id="a")
    assert [one["context"]["verification"] for one in shop.events()] == ["server"]
