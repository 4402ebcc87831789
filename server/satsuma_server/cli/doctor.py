"""``satsuma doctor``: is a collector fit for a site?"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import httpx
import typer
from rich.table import Table

from satsuma_server.disk import room_for
from satsuma_server.errors import SettingsError
from satsuma_server.settings import log_of, profiles_of

from .console import HERE, Url, WriteKey, fail, output
from .doctor_nats import log_findings
from .doctor_postgres import store_findings
from .doctor_service import service_findings
from .findings import Finding

LEAST_FREE = 1 << 30
"""Bytes of free disk below which a log will soon be in trouble."""


def doctor(
    url: Url = HERE,
    write_key: WriteKey = "demo",
    site: Annotated[str, typer.Option(help="Origin of the pages, as https://shop.example.")] = "",
    service: Annotated[
        str,
        typer.Option(help="Path of the site's service worker, as /satsuma-service.js, where Python is to live there."),
    ] = "",
    data: Annotated[Path | None, typer.Option(envvar="SATSUMA_DATA", help="The log's folder on this machine.")] = None,
    config: Annotated[
        Path | None, typer.Option(envvar="SATSUMA_CONFIG", help="The collector's settings, for NATS and Postgres.")
    ] = None,
    log: Annotated[
        str | None, typer.Option(envvar="SATSUMA_LOG", help="Servers that keep the log, as the collector has them.")
    ] = None,
    nats_monitor: Annotated[
        list[str] | None,
        typer.Option(help="Monitoring address of one of them, as http://one:8222; repeatable."),
    ] = None,
) -> None:
    """Check a running collector: is it up, is the key known, may the site's pages write, is there room?"""
    with httpx.Client(base_url=url.rstrip("/"), timeout=10) as http:
        findings = [
            finding
            for check in (_up, _key, _loader, _origin)
            for finding in _guarded(check, http, write_key, site.rstrip("/"))
        ]
    if service:
        findings += service_findings(site.rstrip("/"), service, url.rstrip("/"), write_key)
    findings += [*_cookies(url, site), *(_disk(data) if data else ())]
    try:
        servers, options = log_of(config, log)
        store = profiles_of(config).store
    except SettingsError as error:
        fail(str(error))
    if servers:
        findings += log_findings(servers, options, nats_monitor or ())
    findings += store_findings(store)
    table = Table(box=None, show_header=False)
    for finding in findings:
        mark = MARKS[finding.well]
        table.add_row(mark, finding.what, "" if finding.well else f"[yellow]{finding.advice}[/]")
    output.print(table)
    if any(finding.well is False for finding in findings):
        raise typer.Exit(1)


MARKS = {True: "[green]well[/]", False: "[red]ill[/]", None: "[yellow]unseen[/]"}

Check = Callable[[httpx.Client, str, str], Iterator[Finding]]


def _guarded(check: Check, http: httpx.Client, write_key: str, site: str) -> Iterator[Finding]:
    try:
        yield from check(http, write_key, site)
    except httpx.HTTPError as error:
        yield Finding(False, f"{check.__name__[1:]}: {error}", "start it (satsuma serve), or check --url")


def _up(http: httpx.Client, write_key: str, site: str) -> Iterator[Finding]:
    answer = http.get("/v1/health")
    advice = "not a collector, or a proxy that doesn't pass /v1 on"
    if answer.status_code == 503:
        advice = f"the log can't write: {answer.json().get('reason')}"
    yield Finding(answer.status_code == 200, f"{http.base_url} takes events", advice)


def _key(http: httpx.Client, write_key: str, site: str) -> Iterator[Finding]:
    known = http.get(f"/v1/projects/{write_key}/settings").status_code == 200
    yield Finding(known, f"the write key {write_key} is known", "add it to the sources, or give --write-key")


def _loader(http: httpx.Client, write_key: str, site: str) -> Iterator[Finding]:
    found = http.get(f"/analytics.js/v1/{write_key}/analytics.min.js").status_code == 200
    yield Finding(found, "the loader is served", "build the runtime (./dev build)")


def _origin(http: httpx.Client, write_key: str, site: str) -> Iterator[Finding]:
    if not site:
        return
    asks = {"Origin": site, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    allowed = http.options("/v1/t", headers=asks).headers.get("access-control-allow-origin")
    advice = "add it to the source's origins, or let the proxy pass OPTIONS on"
    yield Finding(allowed in ("*", site), f"pages of {site} may write", advice)


def _cookies(url: str, site: str) -> Iterator[Finding]:
    """Whether the collector may set cookies that the site's pages see: only within one site."""
    ours, theirs = urlsplit(url).hostname, urlsplit(site).hostname
    if not ours or not theirs:
        return
    # Two labels in common: a guess, since only the browser knows which suffixes are public.
    same = ours == theirs or ours.split(".")[-2:] == theirs.split(".")[-2:]
    advice = "pages write cookies themselves; give the collector a name under the site's domain to set them too"
    yield Finding(same, f"{ours} and {theirs} can share cookies", advice)


def _disk(data: Path) -> Iterator[Finding]:
    folder, free = room_for(data)
    yield Finding(
        os.access(folder, os.W_OK), f"{folder} can be written", "give the collector's user the right to write"
    )
    yield Finding(free > LEAST_FREE, f"{free >> 20:,} MiB are free", "free some, or set retention_days")
