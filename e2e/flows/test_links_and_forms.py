"""Tracked links and forms: what the browser would have done happens once, and nothing that the page refused does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from flows.reference_library import PAGE
from playwright.sync_api import Error, Page
from pytest_satsuma import Visitor
from satsuma_server import snippet
from satsuma_server.testing import Collector, serving
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

JQUERY = """window.jQuery = (form) => ({
    on(name, handler) { (form.handlers ??= []).push(handler); },
    submit(handler) { (form.handlers ??= []).push(handler); },
    trigger() {
        let refused = false;
        const event = { type: "submit", target: form, preventDefault() { refused = true; } };
        form.handlers.forEach((handler) => handler(event));
        if (!refused) HTMLFormElement.prototype.submit.call(form);
    },
});"""
"""As much of jQuery as sends a form: its handlers hear of it, and the browser's own do not."""

CALM = """async () => {
    await analytics.flush();
    for (let i = 0; i < 12; i++) await new Promise((go) => setTimeout(go));
}"""
BUY = "<button id='go' name='do' value='buy'>buy</button>"
FORM = "<form id='it' action='/TO' method='post'><input name='q' value='lemon'>%s</form>"


def click(selector: str = "#go", **how: object) -> Callable[[Page], None]:
    """Return what clicks on an element as a visitor does."""
    return lambda page: page.click(selector, no_wait_after=True, **how)  # type: ignore[arg-type]


def run(script: str) -> Callable[[Page], None]:
    """Return what runs a script of the page."""
    return lambda page: page.evaluate(f"() => {{ {script} }}")


def press_enter(page: Page) -> None:
    """Send a form from its field."""
    page.press("input[name=q]", "Enter", no_wait_after=True)


def upload(page: Page) -> None:
    """Choose a file, and send it."""
    page.set_input_files("input[type=file]", {"name": "peel.txt", "mimeType": "text/plain", "buffer": b"a yuzu's"})
    page.click("#go", no_wait_after=True)


@dataclass(frozen=True, slots=True)
class Case:
    """A link or a form, and what is done with it.

    Attributes:
        title: the name of its event.
        body: HTML; TO is an address of its own.
        does: what happens in the page once it is tracked.
        sent: requests for that address, as ``METHOD?query body``; parts of them where they can't be known whole.
        stays: the page is not left.
        before, after: the page's scripts before and after it is tracked; ``it`` is the element.
        events: how many are stored.
    """

    title: str
    body: str
    does: Callable[[Page], None] = field(default_factory=click)
    sent: tuple[str, ...] = ()
    stays: bool = False
    before: str = ""
    after: str = ""
    events: int = 1


def link(title: str, attributes: str = "", **more: object) -> Case:
    """Return a case of a plain link, which is to be followed once."""
    body = f"<a id='it' href='/TO' {attributes}><span id='go'>go</span></a>"
    return Case(title, body, **{"sent": ("GET? ",), **more})  # type: ignore[arg-type]


def form(title: str, inside: str = BUY, **more: object) -> Case:
    """Return a case of a form, which is to be sent once."""
    return Case(title, FORM % inside, **{"sent": ("POST? q=lemon&do=buy",), **more})  # type: ignore[arg-type]


REFUSE = "(event) => event.preventDefault()"
ROUTER = """document.addEventListener("click", (event) => {
    if (event.defaultPrevented || !event.target.closest("a")) return;
    event.preventDefault();
    history.pushState(null, "", "/routed");
});"""
KEPT = {"sent": (), "stays": True}
SLOW = """analytics.timeout(TIMEOUT);
    return analytics.register({name: "Slow", type: "destination", version: "1",
        isLoaded: () => true, load: async () => {},
        track: (context) => new Promise((done) => { window.done = () => done(context); })});"""
"""A destination that has an event until it is told to let it go."""


def release(page: Page) -> None:
    """Click, see that the page waits for its event, and let that go."""
    page.click("#go", no_wait_after=True)
    page.wait_for_function("() => window.done")
    page.evaluate("async () => { for (let i = 0; i < 12; i++) await new Promise((go) => setTimeout(go)); }")
    assert page.evaluate("() => window.stayed"), "the page did not wait"
    page.evaluate("() => window.done()")


PATIENT, HASTY = SLOW.replace("TIMEOUT", "60000"), SLOW.replace("TIMEOUT", "50")

LINKS = (
    link("A link"),
    link("A link that is tracked twice", after="analytics.trackLink(it, 'A link that is tracked twice')", events=2),
    link(
        "A link that the click changes",
        before="it.addEventListener('click', () => { it.href += '?late'; })",
        sent=("GET?late ",),
    ),
    link("A link of a router", after=ROUTER, **KEPT),
    link("A link that was refused before", before=f"it.addEventListener('click', {REFUSE})", **KEPT),
    link("A link that is refused after", after=f"it.addEventListener('click', {REFUSE})", **KEPT),
    link("A link that is refused by its attribute", "onclick='return false'", **KEPT),
    link("A link that is refused by a property", after="document.body.onclick = () => false", **KEPT),
    link(
        "A link that is stopped and refused",
        after="document.body.onclick = (event) => { event.stopPropagation(); event.preventDefault(); }",
        **KEPT,
    ),
    link(
        "A link that is stopped by one and refused by another",
        after="document.body.addEventListener('click', (event) => event.stopPropagation());"
        f"document.body.addEventListener('click', {REFUSE})",
        **KEPT,
    ),
    link("A link that is stopped", after="document.body.onclick = (event) => event.stopPropagation()"),
    link("A link that is stopped at once", before="it.onclick = (event) => event.stopPropagation()"),
    link(
        "A link that is refused too late",
        after="it.onclick = (event) => setTimeout(() => event.preventDefault())",
    ),
    link("A link to a new tab", "target='_blank'", stays=True),
    link(
        "A link to a frame",
        "target='frame'",
        before="it.insertAdjacentHTML('afterend', \"<iframe name='frame'></iframe>\")",
        stays=True,
    ),
    link("A link to a new tab by a key", does=click(modifiers=["ControlOrMeta"]), stays=True),
    link("A link to a new window by a key", does=click(modifiers=["Shift"]), stays=True),
    link("A link to a new tab by the middle button", does=click(button="middle"), stays=True, events=0),
    link("A link to a file", "download='peel.txt'", stays=True),
    link("A link that a script follows", does=run("it.click()")),
    link("A link in this page", after="it.setAttribute('href', '#there')", **KEPT),
    Case(
        "The second link of a list",
        "<ul id='it'><li><a href='/TO?1'>1</a><li><a id='go' href='/TO?2'>2</a></ul>",
        sent=("GET?2 ",),
    ),
    link("A link whose event takes its time", before=PATIENT, does=release),
    link("A link whose event takes too long", before=HASTY),
    Case("Beside the links of a list", "<ul id='it'><li><a href='/TO'>1</a><li id='go'>2</ul>", stays=True),
    Case("A link of a drawing", "<svg><a id='it' href='/TO'><text id='go' y='20'>go</text></a></svg>", sent=("GET? ",)),
)

FORMS = (
    form("A form's button"),
    form("The second of a form's buttons", f"<button name='do' value='look'>look</button>{BUY}"),
    form("A button elsewhere", f"</form>{BUY.replace('id', 'form=it id')}"),
    form("A form's field", BUY, does=press_enter),
    form("A form that a script sends by its button", does=run("it.requestSubmit(go)")),
    form("A form that a script sends past its handlers", does=run("it.submit()"), sent=("POST? q=lemon",), events=0),
    form(
        "A form that a script only speaks of",
        does=run("it.dispatchEvent(new Event('submit', {cancelable: true}))"),
        **KEPT,
    ),
    form(
        "A button with an address",
        BUY.replace("id", "formaction='/TO?there' id"),
        sent=("POST?there q=lemon&do=buy",),
    ),
    form("A button with a method", BUY.replace("id", "formmethod='get' id"), sent=("GET?q=lemon&do=buy ",)),
    form("A button with a target", BUY.replace("id", "formtarget='_blank' id"), stays=True),
    form(
        "A button without checks",
        BUY.replace("id", "formnovalidate id") + "<input name='must' required>",
        sent=("POST? q=lemon&do=buy&must=",),
    ),
    form("A form that lacks a value", BUY + "<input name='must' required>", **KEPT, events=0),
    form("A form that is tracked twice", after="analytics.trackForm(it, 'A form that is tracked twice')", events=2),
    form("A form that is sent twice", does=run("go.click(); go.click()"), events=2),
    form(
        "A button that is not to be pressed again",
        after="it.onsubmit = () => setTimeout(() => { go.disabled = true; it.reset(); })",
    ),
    form("A form that was refused before", before=f"it.addEventListener('submit', {REFUSE})", **KEPT),
    form("A form that is refused after", after=f"it.addEventListener('submit', {REFUSE})", **KEPT),
    form("A form that is refused by a property", after="it.onsubmit = () => false", **KEPT),
    form("A form that is refused above", after=f"document.addEventListener('submit', {REFUSE})", **KEPT),
    form(
        "A form that is stopped and refused",
        after="document.body.onsubmit = (event) => { event.stopImmediatePropagation(); event.preventDefault(); }",
        **KEPT,
    ),
    form(
        "A form whose page counts",
        before="let asked = 0; it.addEventListener('submit', () => asked++);"
        "it.addEventListener('formdata', (event) => event.formData.append('asked', asked))",
        sent=("POST? q=lemon&do=buy&asked=1",),
    ),
    form(
        "A form whose fields hide what forms have",
        BUY + "".join(f"<input name='{name}'>" for name in ("submit", "action", "method", "getAttribute", "target")),
        does=run("go.click()"),  # Playwright itself trips over such fields.
        sent=("POST? q=lemon&do=buy&submit=&action=&method=&getAttribute=&target=",),
    ),
    form(
        "A picture for a button",
        "<input type='image' id='go' name='at' alt='at' width='9' height='9'>",
        sent=("POST? q=lemon&at.x=5&at.y=5",),
    ),
    form("A form that closes a dialog", BUY.replace("id", "formmethod='dialog' id"), **KEPT),
    Case(
        "A form with a file",
        "<form id='it' action='/TO' method='post' enctype='multipart/form-data'><input type='file' name='f'>"
        f"{BUY}</form>",
        upload,
        ('filename="peel.txt"', "a yuzu's", 'name="do"'),
    ),
    form("A form whose event takes its time", before=PATIENT, does=release),
    form("A form whose event takes too long", before=HASTY),
    form("A form that jQuery sends", before=JQUERY, does=run("jQuery(it).trigger()"), sent=("POST? q=lemon",)),
)

CASES = {f"/case/{number}": case for number, case in enumerate((*LINKS, *FORMS))}


@pytest.fixture
def requests() -> dict[str, list[str]]:
    """What the site was asked for, by the case."""
    return {}


@pytest.fixture(params=[False, True], ids=["page", "worker"])
def site(request: pytest.FixtureRequest, collector: Collector, requests: dict[str, list[str]]) -> Iterator[str]:
    """A site with a page for each case, and one that each leads to."""
    text = snippet("links", collector.url, options={"worker": request.param})

    async def page(request: Request) -> Response:
        body = CASES[request.url.path].body.replace("/TO", f"/to{request.url.path}")
        return HTMLResponse(PAGE.format(title="Links", snippet=text, body=body))

    async def target(request: Request) -> Response:
        told = (await request.body()).decode()
        case = request.url.path.removeprefix("/to")
        requests.setdefault(case, []).append(f"{request.method}?{request.url.query} {told}")
        return HTMLResponse("<link rel='icon' href='data:,'>there")

    routes = [Route("/case/{number}", page), Route("/to/{path:path}", target, methods=["GET", "POST"])]
    with serving(Starlette(routes=routes)) as url:
        yield url


def play(visitor: Visitor, path: str, case: Case, requests: dict[str, list[str]]) -> None:
    """Do what a case says, and wait for what comes of it.

    Raises:
        AssertionError: the page was left, or the requests never came.
    """
    visitor.visit(path)
    page = visitor.page
    method = "trackForm" if case in FORMS else "trackLink"
    page.evaluate(f"() => {{ {case.before} }}")
    page.evaluate(f"(title) => {{ analytics.{method}(it, title); }}", case.title)
    page.evaluate(f"() => {{ window.stayed = true; {case.after} }}")
    case.does(page)
    if case.stays:
        visitor.until(lambda: len(requests.get(path, [])) >= len(case.sent), "the requests")
        page.evaluate(CALM)
        assert page.evaluate("() => window.stayed"), "the page was left"
    else:
        visitor.until(lambda: "/to/" in page.url, "the page to be left")
    for other in visitor.context.pages:
        if other != page:
            other.close()


def wrong(case: Case, made: list[str]) -> bool:
    """Tell whether a case's requests are not those that are wanted."""
    return len(made) != bool(case.sent) or not all(part in "".join(made) for part in case.sent)


def test_what_the_browser_would_have_done_happens_once(
    visitor: Visitor, collector: Collector, requests: dict[str, list[str]]
) -> None:
    faults: list[str] = []
    for path, case in CASES.items():
        try:
            play(visitor, path, case, requests)
        except (AssertionError, Error) as error:
            faults.append(f"{case.title}: {error}")
    visitor.visit("/case/0")
    visitor.evaluate("() => analytics.track('The end').then(() => analytics.flush()).then(() => null)")
    events = collector.wait_for(lambda events: events[-1].get("event") == "The end")
    told = Counter(event["event"] for event in events if event["type"] == "track")
    for path, case in CASES.items():
        made = requests.get(path, [])
        if wrong(case, made):
            faults.append(f"{case.title}: this was sent: {made}")
        if told[case.title] != case.events:
            faults.append(f"{case.title}: {told[case.title]} events were stored")
    assert not faults, "\n".join(faults)
    assert visitor.errors == []
