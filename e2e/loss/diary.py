"""The site that visitors walk on. Its pages tell it of each call before they make it.

They tell it by a blocking XMLHttpRequest: the site knows of the call before the library does, whatever becomes of the
page a moment later, and the library keeps its 64 KB of keepalive requests. A console message or a binding could still
be on its way when the tab is gone. Where the browser is offline there is no site to tell, and the page writes a cookie
instead; whoever reads the diary asks the browser for those.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from flows.reference_library import PAGE
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

NOTE = "made-"
"""What a cookie's name begins with that stands for a line in the diary."""

FORM = '<form action="{path}" method="post"><button>Send</button></form>'

CALLER = """<script>
  /* A page that is loaded anew makes other calls than the last time. */
  const load = location.pathname.slice(1).replaceAll("/", ".") + "." + Date.now().toString(36);
  let made = 0;
  function make() {
    const n = load + "." + made++, telling = new XMLHttpRequest();
    telling.open("POST", "/diary/" + n, false);
    try { telling.send(); } catch { document.cookie = "made-" + n + "=1; path=/"; }
    analytics.track("Called", {n});
  }
  function go(path) { location.href = path; }
  /* Goes with a way back: a page that is left before it is loaded has no entry in the history. */
  function goWhenLoaded(path) {
    if (document.readyState === "complete") go(path);
    else addEventListener("load", () => setTimeout(go, 0, path));
  }
  /* Makes one more call, as sites do, in the handler of a form that leaves the page. */
  function submit() {
    document.forms[0].onsubmit = make;
    document.forms[0].requestSubmit();
  }
  function play(times, then) {
    let left = times.length;
    const next = () => { make(); if (--left === 0) then(); };
    for (const at of times) at ? setTimeout(next, at) : next();
  }
"""


@dataclass(slots=True)
class Diary:
    """What the site knows.

    Attributes:
        snippet: stands in the head of every page.
        made: the calls that were made, each by its name, in order.
        pages: what a page does after the snippet, by its path; nothing, where it isn't here.
        service_version: of the site's service worker.
    """

    snippet: str
    made: list[str] = field(default_factory=list)
    pages: dict[str, str] = field(default_factory=dict)
    service_version: int = 1

    def plan(self, path: str, times: Sequence[int], then: str) -> None:
        """Have a page make calls.

        Args:
            path: of the page.
            times: of the calls: milliseconds after the snippet, 0 for at once.
            then: what the page runs after the last one, in the same task.
        """
        # The console hears of it first: there is none any more where `then` leaves.
        end = f"console.debug({json.dumps(path)}); {then};"
        self.pages[path] = f"play({sorted(times)}, () => {{ {end} }});"


def walked_site(diary: Diary) -> Starlette:
    """Return the site whose diary this is."""

    async def note(request: Request) -> Response:
        diary.made.append(request.path_params["name"])
        return Response(status_code=204)

    async def page(request: Request) -> Response:
        path = request.url.path
        body = FORM.format(path=f"{path}/sent") + CALLER + diary.pages.get(path, "") + "</script>"
        return HTMLResponse(PAGE.format(title=path, snippet=diary.snippet, body=body))

    routes = [
        Route("/diary/{name}", note, methods=["POST"]),
        Route("/{path:path}", page, methods=["GET", "POST"]),
    ]
    return Starlette(routes=routes)
