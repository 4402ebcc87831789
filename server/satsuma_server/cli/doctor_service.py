"""What ``satsuma doctor`` finds out about a site's service worker, in which Python may live."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx

from satsuma_server.assets.snippet import service_line, service_url

from .findings import Finding

LOCAL = ("localhost", "127.0.0.1", "::1")
"""Hosts that browsers trust without TLS."""

SCRIPTS = ("text/javascript", "application/javascript", "application/x-javascript", "application/ecmascript")
"""Types of a service worker's script. Source: the Service Workers specification, which refuses all others."""

MOST_BYTES = 1_000_000
"""The most of a script that is read."""


def service_findings(site: str, path: str, url: str, write_key: str) -> Iterator[Finding]:
    """Yield whether browsers will take a site's service worker with Python in it.

    Args:
        site: origin of the pages.
        path: of the script on that site, as the option ``serviceWorker`` has it.
        url: the collector's origin.
        write_key: of the source.
    """
    if not site:
        yield Finding(False, f"the service worker {path}", "name the site it is on: --site https://shop.example")
        return
    parts = urlsplit(site)
    secure = parts.scheme == "https" or parts.hostname in LOCAL or (parts.hostname or "").endswith(".localhost")
    yield Finding(secure, f"{site} may have a service worker", "serve the site over HTTPS: browsers allow none without")
    if not secure:
        return
    address = site + "/" + path.lstrip("/")
    try:
        with httpx.Client(timeout=10) as http:
            yield from _script(http, address, url, write_key)
    except httpx.HTTPError as error:
        yield Finding(False, f"{address}: {error}", "have the site answer, or check --site")


def _script(http: httpx.Client, address: str, url: str, write_key: str) -> Iterator[Finding]:
    answer = http.get(address)
    line = service_line(write_key, url)
    advice = f"have the site answer {urlsplit(address).path} itself, without a redirect, with the line: {line}"
    yield Finding(answer.status_code == 200, f"{address} answers {answer.status_code}", advice)
    if answer.status_code != 200:
        return
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    yield Finding(kind in SCRIPTS, f"its type is {kind or 'not told'}", "send Content-Type: text/javascript")
    found = service_url(write_key, url) in answer.text[:MOST_BYTES]
    # What it imports may import ours.
    yield Finding(found or None, "it imports the collector's script", f"add, unless what it imports has it: {line}")
    # Ours has this scope unless the site's own service worker is used, whose scope is the site's to choose.
    below = http.get(address + "/")
    page = below.status_code == 200 and "html" in below.headers.get("content-type", "")
    yield Finding(
        not page,
        f"no page lies in its scope, {urlsplit(address).path}/",
        "let no page answer below the script's address, or name another one by the option serviceWorker",
    )
    policy = answer.headers.get("content-security-policy")
    if policy is not None:
        yield Finding(
            _lets_in(policy, url),
            "its Content-Security-Policy lets Python run",
            f"its own answer needs script-src {url} 'wasm-unsafe-eval' and connect-src {url}, or no policy at all",
        )


def _lets_in(policy: str, url: str) -> bool:
    """Tell whether a policy, of one or more parts, names what Python in a service worker needs."""
    for one in policy.split(","):
        rules = {words[0].lower(): words[1:] for part in one.split(";") if (words := part.split())}
        everything = rules.get("default-src", ["*", "'unsafe-eval'"])
        scripts, connections = rules.get("script-src", everything), rules.get("connect-src", everything)
        runs = {"'wasm-unsafe-eval'", "'unsafe-eval'"} & {*scripts}
        if not runs or not _names(scripts, url) or not _names(connections, url):
            return False
    return True


def _names(sources: list[str], url: str) -> bool:
    """Tell whether sources name an origin. One by a pattern for hosts counts, since browsers read these better."""
    parts = urlsplit(url)
    host = parts.netloc.lower()
    for source in (one.lower().rstrip("/") for one in sources):
        name = source.partition("://")[2] or source
        below = name.startswith("*.") and host.endswith(name[1:])
        if name == host or below or source in ("*", f"{parts.scheme}:") or name.startswith(f"{host}/"):
            return True
    return False
