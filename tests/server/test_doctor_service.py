"""What the doctor says of a site's service worker."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from satsuma_server.assets.snippet import service_line
from satsuma_server.cli.doctor_service import service_findings
from satsuma_server.testing import serving
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

COLLECTOR = "https://collector.test"
LINE = service_line("k1", COLLECTOR)
STRICT = "default-src 'self'; script-src 'self' {}; connect-src https://*.test"


def script(text: str = LINE, kind: str = "text/javascript", policy: str = "") -> Response:
    """Return a service worker's script as some site answers it."""
    return Response(text, media_type=kind, headers={"content-security-policy": policy} if policy else {})


ANSWERS = {
    "/well.js": script(),
    "/html.js": script(kind="text/html"),
    "/other.js": script("importScripts('/more.js');"),
    "/moved.js": RedirectResponse("/well.js"),
    "/above.js": script(),
    "/above.js/": HTMLResponse("<p>A page"),
    "/strict.js": script(policy=STRICT.format("https://collector.test 'wasm-unsafe-eval'")),
    "/no-python.js": script(policy=STRICT.format("https://collector.test")),
    "/no-collector.js": script(policy=STRICT.format("'wasm-unsafe-eval'")),
}


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """A site that has service workers of many kinds."""
    routes = [Route(path, lambda _, answer=answer: answer) for path, answer in ANSWERS.items()]
    with serving(Starlette(routes=routes)) as url:
        yield url


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        ("/well.js", []),
        ("/strict.js", []),
        ("/html.js", ["Content-Type: text/javascript"]),
        ("/moved.js", ["without a redirect"]),
        ("/missing.js", ["have the site answer /missing.js"]),
        ("/above.js", ["let no page answer below"]),
        ("/no-python.js", ["script-src https://collector.test 'wasm-unsafe-eval'"]),
        ("/no-collector.js", ["script-src https://collector.test 'wasm-unsafe-eval'"]),
    ],
)
def test_the_doctor_says_what_keeps_a_browser_from_taking_it(site: str, path: str, wrong: list[str]) -> None:
    ill = [one.advice for one in service_findings(site, path, COLLECTOR, "k1") if one.well is False]
    assert len(ill) == len(wrong)
    for advice, part in zip(ill, wrong, strict=True):
        assert part in advice


def test_what_a_site_s_own_service_worker_imports_is_not_seen(site: str) -> None:
    (unseen,) = [one for one in service_findings(site, "/other.js", COLLECTOR, "k1") if one.well is None]
    assert LINE in unseen.advice


def test_a_site_without_tls_or_without_a_name_is_ill() -> None:
    (insecure,) = service_findings("http://shop.test", "/s.js", COLLECTOR, "k1")
    assert insecure.well is False
    assert "HTTPS" in insecure.advice
    (nameless,) = service_findings("", "/s.js", COLLECTOR, "k1")
    assert nameless.well is False
    assert "--site" in nameless.advice
