"""What browsers load."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import httpx
import pytest
from satsuma_server import snippet
from satsuma_server.settings import RUNTIME

LARGEST_LOADER = 16_100
"""Bytes that the loader may take, compressed: 13,202 when it was minified (20,003 before), 14,592 since it reads the
page's values within bounds, 15,781 since the collector takes over where Python ends in the middle of a page, and where
bytes or memory are dear, 16,056 since scripts of the settings tell how far they are and a context's log is written as
analytics.js writes it."""

LARGEST_SNIPPET = 13_900
"""Bytes of the snippet, as it is pasted, that no option adds anything to: 13,826, of which some 330 keep what a site's
own handlers call as the page is left in order."""


@cache
def built() -> dict[str, Any]:
    """Return the built files by name."""
    files: dict[str, Any] = json.loads((RUNTIME / "manifest.json").read_text())["files"]
    return files


def test_the_loader_is_kept_for_a_short_while(client: httpx.Client) -> None:
    answer = client.get("/analytics.js/v1/demo/analytics.min.js", headers={"accept-encoding": "br"})
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "public, max-age=300"
    assert answer.headers["content-encoding"] == "br"
    assert answer.headers["content-type"].startswith("text/javascript")


@pytest.mark.parametrize("encoding", ["zstd", "br", "gzip", "identity"])
def test_every_file_of_the_manifest_is_served_for_ever(client: httpx.Client, encoding: str) -> None:
    assert {"host.js", "memory.bin", "python.wasm"} <= set(built())
    for name, entry in built().items():
        path = f"/analytics.js/runtime/{entry['path']}"
        with client.stream("GET", path, headers={"accept-encoding": encoding}) as answer:
            assert answer.status_code == 200, name
            assert "immutable" in answer.headers["cache-control"], name
            assert answer.headers.get("content-encoding", "identity") == encoding, name
            assert int(answer.headers["content-length"]) == entry["encodings"].get(encoding, entry["bytes"]), name
            assert answer.headers["content-type"].startswith(entry["type"]), name


def test_a_page_downloads_no_comments_and_its_loader_is_small() -> None:
    loader = RUNTIME / "loader.js"
    host = RUNTIME / built()["host.js"]["path"]
    assert loader.with_name("loader.js.br").stat().st_size < LARGEST_LOADER
    for script in (loader, RUNTIME / "snippet.js", host):
        assert script.read_text().count("/* ") == 0, script.name


def test_a_browser_that_takes_several_encodings_gets_the_one_that_it_decodes_soonest(client: httpx.Client) -> None:
    asked = {"accept-encoding": "gzip, deflate, br, zstd"}
    answer = client.get("/analytics.js/v1/demo/analytics.min.js", headers=asked)
    assert answer.headers["content-encoding"] == "zstd"


@pytest.mark.parametrize(
    ("path", "status"),
    [("nothing.js", 404), ("../__init__.py", 404), ("%2e%2e/%2e%2e/app.py", 400), ("manifest.json", 404)],
)
def test_nothing_else_is_served(client: httpx.Client, path: str, status: int) -> None:
    assert client.get(f"/analytics.js/runtime/{path}").status_code == status


def test_the_snippet_cannot_be_broken_out_of() -> None:
    text = snippet('k"</script><script>', "https://collector.test/")
    assert "</script>" not in text
    assert '"https://collector.test"' in text


@pytest.mark.parametrize("options", [{}, {"early": True}, {"python": "service"}, {"early": True, "python": "service"}])
def test_a_snippet_has_only_what_its_options_need(options: dict[str, Any]) -> None:
    text = snippet("demo", "https://collector.test", options=options)
    assert ("serviceWorker" in text) == ("python" in options)
    assert ("answer=!0" in text) == ("early" in options)
    assert len(text) < LARGEST_SNIPPET + 1000 * ("python" in options) + 2300 * ("early" in options)


def test_a_snippet_that_stays_names_no_file_of_a_build(client: httpx.Client) -> None:
    name = built()["memory.bin"]["path"]
    assert name not in snippet("demo", "https://collector.test")
    served = client.get("/analytics.js/snippet.js?writeKey=demo").text
    assert f"/analytics.js/runtime/{name}" in served
