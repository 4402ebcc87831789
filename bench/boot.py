"""From navigation to `analytics.initialized`, in a real Chromium, beside a plain loadPyodide of the same files."""

from __future__ import annotations

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, sync_playwright
from pytest_satsuma.chromium import launch_args
from rich.progress import track
from satsuma_server import plain_pyodide, snippet
from satsuma_server.testing import running, serving
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from .report import table

OURS, PLAIN = "satsuma", "plain loadPyodide"
READY = """() => new Promise((done) => {
    const look = () => window.readyAt ? done(readyAt) : setTimeout(look, 2);
    look();
})"""
PLAIN_BOOT = """<script>(async () => {
  const { pyodide, folder } = await startPyodide();
  const wheel = await (await fetch(folder + "satsuma.zip")).arrayBuffer();
  pyodide.unpackArchive(wheel, "zip", { extractDir: "/lib/satsuma" });
  pyodide.runPython("import sys; sys.path.insert(0, '/lib/satsuma'); import satsuma.platforms.browser.boot");
  window.readyAt = performance.now();
})();</script>"""
OUR_BOOT = """<script>{snippet}; analytics.ready(() => {{ window.readyAt = performance.now(); }});</script>"""


def pages(collector: str) -> Starlette:
    """Return the site with both contenders' pages."""
    bodies = {
        OURS: OUR_BOOT.format(snippet=snippet("bench", collector)),
        PLAIN: plain_pyodide(collector) + PLAIN_BOOT,
    }

    async def page(request: Request) -> Response:
        return HTMLResponse(f"<!doctype html><title>bench</title>{bodies[request.query_params['of']]}")

    return Starlette(routes=[Route("/", page)])


def visit(browser: Browser, url: str) -> tuple[float, float]:
    """Return the milliseconds of a first visit and of a second one, on a new device."""
    context = browser.new_context()
    page = context.new_page()
    times = []
    for _ in range(2):
        page.goto(url)
        times.append(page.evaluate(READY))
    context.close()
    return times[0], times[1]


def main(arguments: list[str]) -> None:
    """Alternate both contenders and print what they took."""
    parser = argparse.ArgumentParser(prog="./dev bench boot")
    parser.add_argument("--rounds", type=int, default=10)
    rounds = parser.parse_args(arguments).rounds
    cold: dict[str, list[float]] = {OURS: [], PLAIN: []}
    warm: dict[str, list[float]] = {OURS: [], PLAIN: []}
    with (
        TemporaryDirectory() as folder,
        running(Path(folder)) as collector,
        serving(pages(collector.url)) as site,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(**launch_args({}))
        for _ in track(range(rounds), "boot"):
            for name in cold:
                first, second = visit(browser, f"{site}/?of={name}")
                cold[name].append(first)
                warm[name].append(second)
        browser.close()
    table(f"Cold boot, {rounds} rounds", "ms", PLAIN, cold)
    table(f"Warm boot, {rounds} rounds", "ms", PLAIN, warm)
