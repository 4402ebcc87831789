"""A Host header that somebody made up doesn't get into answers that others are given by a cache."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from satsuma_server.errors import SettingsError
from satsuma_server.http.public_url import PublicUrl
from satsuma_server.settings import Settings
from satsuma_server.testing import running

NAMING = ("/analytics.js/snippet.js?writeKey=shop", "/v1/projects/shop/settings", "/sourceConfig/?writeKey=shop")
"""The answers that name the collector's own host."""

EVIL = "evil.test"
OURS = "collector.example"


def ask(url: str, path: str, **headers: str) -> httpx.Response:
    return httpx.get(f"{url}{path}", headers=headers)


def is_shared(answer: httpx.Response) -> bool:
    """Tell whether a cache between visitors and the collector may keep an answer."""
    told = answer.headers.get("cache-control", "")
    return "private" not in told and "no-store" not in told


@pytest.mark.parametrize("path", NAMING)
def test_no_cache_keeps_an_answer_with_a_host_that_the_request_chose(tmp_path: Path, path: str) -> None:
    with running(tmp_path) as collector:
        answer = ask(collector.url, path, Host=EVIL)
    assert EVIL in answer.text
    assert not is_shared(answer)


@pytest.mark.parametrize("path", NAMING)
@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"public_url": f"https://{OURS}/"}, f"https://{OURS}"),
        ({"api_host": OURS}, OURS),
    ],
    ids=str,
)
def test_where_the_settings_name_the_host_no_header_matters(
    tmp_path: Path, path: str, settings: dict[str, str], named: str
) -> None:
    with running(tmp_path, trust_proxy=True, **settings) as collector:
        answer = ask(collector.url, path, **{"Host": EVIL, "X-Forwarded-Host": EVIL, "X-Forwarded-Proto": "evil"})
    assert EVIL not in answer.text
    assert "evil" not in answer.text
    assert named.removeprefix("https://") in answer.text
    assert is_shared(answer) or path.startswith("/sourceConfig")


@pytest.mark.parametrize("path", NAMING)
def test_only_allowed_hosts_are_repeated(tmp_path: Path, path: str) -> None:
    hosts = (OURS, "*.shop.example", "localhost:8000")
    with running(tmp_path, allowed_hosts=hosts) as collector:
        for host in (OURS, "COLLECTOR.example:443", f"{OURS}:80", "a.b.shop.example", "localhost:8000"):
            assert ask(collector.url, path, Host=host).status_code == 200, host
        for host in (
            EVIL,
            f"{OURS}:1337",
            f"{OURS}.{EVIL}",
            f"{EVIL}.{OURS}",
            "shop.example",
            "evilshop.example",
            "localhost",
        ):
            answer = ask(collector.url, path, Host=host)
            assert (answer.status_code, host in answer.text) == (421, False), host
        # Without a trusted proxy, its header is nobody's.
        assert EVIL not in ask(collector.url, path, **{"Host": OURS, "X-Forwarded-Host": EVIL}).text
        event = {"event": "E", "userId": "u"}
        assert httpx.post(f"{collector.url}/v1/track", json=event, headers={"Host": EVIL}).is_success


@pytest.mark.parametrize(
    "host", ["a b", 'a"', "a/b", "user@a", "a?b", "a#b", "é.test", "a:b", "[::1", "x" * 300, "a..b"]
)
def test_what_is_no_host_is_not_repeated(tmp_path: Path, host: str) -> None:
    with running(tmp_path) as collector:
        for path in NAMING:
            answer = httpx.get(f"{collector.url}{path}", headers={"Host": host.encode()})
            assert answer.status_code in (400, 421), answer.text


@pytest.mark.parametrize(
    "given",
    [
        {"public_url": "collector.example"},
        {"public_url": "javascript:alert(1)//"},
        {"public_url": "https://u:p@collector.example"},
        {"public_url": "https://collector.example/?a"},
        {"public_url": 'https://collector.example/"><script>'},
        {"allowed_hosts": ("https://collector.example",)},
        {"allowed_hosts": ("*",)},
    ],
    ids=str,
)
def test_wrong_settings_are_told_of_at_the_start(tmp_path: Path, given: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match=next(iter(given))):
        PublicUrl(Settings(tmp_path, **given))  # type: ignore[arg-type]
