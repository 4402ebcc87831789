"""What careful sites ask of a script: a strict policy, integrity, few bytes, and no harm where it can't run."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flows.reference_library import PAGE
from pytest_satsuma import Visitor
from satsuma_server.testing import Collector, serving
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

Stored = Callable[..., dict[str, Any]]

MOST_BYTES = 1_900_000
MOST_MEMORY = 6_500_000
"""Bytes of the interpreter's memory, uncompressed: each visit has to bring them from the browser's cache."""

MOST_REQUESTS = 8
"""Of a first visit: page, snippet, the site's own script, loader, glue, module, memory and settings."""

NO_WEBCRYPTO = "Object.defineProperty(crypto, 'subtle', {value: undefined})"
"""As in a page that came by plain HTTP."""

SITES_SCRIPT = "analytics.identify('u1', {plan: 'premium'}); analytics.track('Signed Up');"


@pytest.fixture
def wasm() -> str:
    """What the policy says of WebAssembly."""
    return "'wasm-unsafe-eval'"


@pytest.fixture
def site(collector: Collector, wasm: str) -> Iterator[str]:
    """A site that allows no script but its own and the collector's, and nothing inline."""
    collectors = collector.url
    file = f"{collectors}/analytics.js/snippet.js?writeKey=strict"
    scripts = f"script-src 'self' {collectors} {wasm}"
    policy = f"default-src 'none'; {scripts}; connect-src {collectors}; img-src data:; base-uri 'none'"
    tags = f'<script src="{file}"></script><script src="/site.js"></script>'
    html = PAGE.replace("<script>{snippet}</script>", "{snippet}").format(title="Strict", snippet=tags, body="")

    async def page(_: Request) -> Response:
        return HTMLResponse(html, headers={"Content-Security-Policy": policy})

    async def script(_: Request) -> Response:
        return Response(SITES_SCRIPT, media_type="text/javascript")

    with serving(Starlette(routes=[Route("/", page), Route("/site.js", script)])) as url:
        yield url


def test_a_strict_policy_is_kept(visitor: Visitor, stored: Stored) -> None:
    """Chromium tells the console of each script, connection or evaluation that a policy forbids."""
    visitor.visit("/")
    assert stored("track", "Signed Up")["userId"] == "u1"
    assert visitor.errors == []


def test_where_python_cannot_run_the_collector_makes_the_events(
    visitor: Visitor, stored: Stored, warnings: list[str]
) -> None:
    visitor.page.add_init_script("delete window.WebAssembly")
    visitor.page.goto(visitor.base_url)
    first = stored("track", "Signed Up")
    visitor.page.evaluate("() => analytics.track('Bought')")
    later = stored("track", "Bought")
    assert (later["userId"], later["anonymousId"]) == ("u1", first["anonymousId"])
    assert len([text for text in warnings if "WebAssembly" in text]) == 1
    assert visitor.errors == []


@pytest.mark.parametrize("wasm", [""])
def test_a_policy_that_forbids_webassembly_costs_no_call(visitor: Visitor, stored: Stored) -> None:
    with visitor.page.expect_request("**/v1/early"):
        visitor.page.goto(visitor.base_url)
    assert stored("track", "Signed Up")["userId"] == "u1"
    # The browser says so too.
    assert all("Content Security Policy" in error for error in visitor.errors)
    visitor.errors.clear()


def test_files_that_are_not_what_was_built_never_run(visitor: Visitor, collector: Collector, stored: Stored) -> None:
    """Whoever can change what is served as python.js could otherwise read every page."""
    hostile = {"body": "window.stolen = document.cookie", "headers": {"Access-Control-Allow-Origin": "*"}}
    visitor.page.route(re.compile(r"/(python|pyodide)\.js$"), lambda route: route.fulfill(**hostile))
    with visitor.page.expect_console_message(lambda line: "could not start" in line.text):
        visitor.page.goto(visitor.base_url)
    assert visitor.page.evaluate("() => 'stolen' in window") is False
    # A routed page's last requests wait for Playwright, and on a busy machine it may let them go too late.
    visitor.page.unroute_all()
    visitor.page.close(run_before_unload=True)
    assert stored("track", "Signed Up")["userId"] == "u1"
    assert all("integrity" in error for error in visitor.errors)
    visitor.errors.clear()


@pytest.mark.parametrize("script", ["", NO_WEBCRYPTO], ids=["WebCrypto", "no WebCrypto"])
@pytest.mark.parametrize("name", ["python.wasm", "memory.bin"])
def test_an_interpreter_that_is_not_what_was_built_never_runs(
    visitor: Visitor, stored: Stored, name: str, script: str
) -> None:
    """One bit of memory; a module that is as good as the true one but for a section that nobody reads."""

    def change(route: Any) -> None:
        answer = route.fetch()
        body = answer.body()
        changed = body + b"\0\x02\x01x" if name == "python.wasm" else body[:-1] + bytes([body[-1] ^ 1])
        route.fulfill(response=answer, body=changed)

    visitor.page.add_init_script(script)
    visitor.page.route(f"**/{name}", change)
    with visitor.page.expect_console_message(lambda line: "memory image could not be restored" in line.text):
        visitor.page.goto(visitor.base_url)
    assert stored("track", "Signed Up")["userId"] == "u1"
    assert all("integrity" in error for error in visitor.errors)
    visitor.errors.clear()


@pytest.mark.parametrize("block", [0, -1], ids=["first", "last"])
@pytest.mark.parametrize("name", ["python.wasm", "memory.bin"])
def test_each_block_of_the_interpreter_is_looked_at(visitor: Visitor, stored: Stored, name: str, block: int) -> None:
    """The files are as they were built; the loader is told that one block of them should be another."""

    def tell(route: Any) -> None:
        answer = route.fetch()
        told = re.search(rf'"{re.escape(name)}":\[\[.*?\]\]', text := answer.text())
        assert told
        wrong = re.findall(r"sha256-[^\"]+", told[0])[block]
        route.fulfill(response=answer, body=text.replace(wrong, f"sha256-{'A' * 43}="))

    visitor.page.route("**/analytics.min.js", tell)
    with visitor.page.expect_console_message(lambda line: "memory image could not be restored" in line.text):
        visitor.page.goto(visitor.base_url)
    assert stored("track", "Signed Up")["userId"] == "u1"


@pytest.mark.parametrize("name", ["pyodide.asm.js", "pyodide.asm.wasm", "python_stdlib.zip"])
def test_the_slow_boot_runs_nothing_either_that_is_not_what_was_built(
    visitor: Visitor, stored: Stored, name: str
) -> None:
    def change(route: Any) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=answer.body() + b" ")

    visitor.page.route("**/memory.bin", lambda route: route.abort())
    visitor.page.route(f"**/{name}", change)
    with visitor.page.expect_console_message(lambda line: "Python could not start" in line.text):
        visitor.page.goto(visitor.base_url)
    visitor.page.goto("about:blank")
    assert stored("track", "Signed Up")["userId"] == "u1"
    assert any("integrity" in error and name in error for error in visitor.errors)
    visitor.errors.clear()


def test_the_memory_image_needs_no_webcrypto(visitor: Visitor, stored: Stored, warnings: list[str]) -> None:
    visitor.page.add_init_script(NO_WEBCRYPTO)
    visitor.visit("/")
    assert stored("track", "Signed Up")["userId"] == "u1"
    assert (warnings, visitor.errors) == ([], [])


def test_a_first_visit_loads_few_bytes_in_few_requests(visitor: Visitor, stored: Stored) -> None:
    session = visitor.context.new_cdp_session(visitor.page)
    session.send("Network.enable")
    bytes_of: dict[str, float] = {}
    session.on("Network.loadingFinished", lambda told: bytes_of.update({told["requestId"]: told["encodedDataLength"]}))
    gets: list[str] = []
    visitor.page.on(
        "request", lambda asked: asked.method == "GET" and asked.url[:4] == "http" and gets.append(asked.url)
    )
    visitor.visit("/")
    stored("page")
    sizes = visitor.evaluate(
        """() => performance.getEntriesByType("resource").filter((one) => one.name.endsWith("memory.bin"))
            .map((one) => one.decodedBodySize)"""
    )
    visitor.until(lambda: len(bytes_of) >= MOST_REQUESTS, "everything to be loaded")
    assert sum(bytes_of.values()) <= MOST_BYTES
    assert 0 < max(sizes) <= MOST_MEMORY
    assert len(gets) <= MOST_REQUESTS, gets
    # The snippet, being served, knows the large files; the loader takes them up and asks for nothing twice.
    order = [url.rpartition("/")[2] for url in gets]
    assert order.index("memory.bin") < order.index("analytics.min.js")
    assert order.count("memory.bin") == order.count("python.wasm") == 1
    # What such a visit calls of the interpreter is in its first part.
    assert "python_rest.wasm" not in order
