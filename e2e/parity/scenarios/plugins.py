"""Plugins, middleware, links, forms, and calls that a link makes."""

from parity.story import Leave, Visit, scenario

PLUGIN = """{name: 'mine', type: '%s', version: '1', isLoaded: () => true, load: async () => {},
    track: (ctx) => { %s; return ctx; }}"""


def plugin(kind: str, work: str) -> str:
    """Return a plugin of the page."""
    return PLUGIN % (kind, work)


STOP = "if (ctx.event.event === 'Stopped') try { ctx.cancel(); } catch (error) { error.retry = false; throw error; }"
CHANGE = "ctx.event.properties.seen = ctx.event.type; ctx.updateEvent('context.mine.deep', 1)"
BEFORE = f"window.told = []; analytics.register({plugin('before', 'ctx.event.properties.early = true')})"
REFUSE = "for (const name of ['click', 'submit']) addEventListener(name, (event) => { if (name === 'submit' || event.target.href) event.preventDefault(); })"

SCENARIOS = (
    scenario(
        "A plugin changes events before",
        f"await analytics.register({plugin('before', CHANGE)}); await analytics.track('On')",
    ),
    scenario(
        "A plugin enriches events",
        f"await analytics.register({plugin('enrichment', CHANGE)}); await analytics.track('On')",
    ),
    scenario(
        "A plugin stops events",
        f"await analytics.register({plugin('before', STOP)}); const c = await analytics.track('Stopped'); await analytics.page('On'); return [c.attempts, c.failedDelivery().reason.reason]",
    ),
    scenario(
        "A destination sees what is sent",
        f"window.told = []; await analytics.register({plugin('destination', 'told.push(ctx.event.event)')}); await analytics.track('On'); await analytics.track('Off', {{}}, {{integrations: {{mine: false}}}}); await analytics.track('All', {{}}, {{integrations: {{All: false}}}}); return told",
    ),
    scenario(
        "A plugin sees what was sent",
        f"window.told = []; await analytics.register({plugin('after', 'told.push(ctx.event.event)')}); await analytics.track('On'); return told",
    ),
    scenario(
        "A plugin that is taken out again",
        f"await analytics.register({plugin('before', CHANGE)}); await analytics.deregister('mine'); await analytics.track('On')",
    ),
    scenario(
        "A plugin that doesn't load",
        f"await analytics.register({{...{plugin('enrichment', CHANGE)}, load: async () => {{ throw new Error('no'); }}}}); await analytics.track('On')",
    ),
    scenario(
        "A plugin that breaks while enriching",
        f"await analytics.register({plugin('enrichment', 'throw new Error(1)')}); await analytics.track('On')",
    ),
    scenario("A plugin that came before the library", Visit(early=BEFORE + "; analytics.track('On')")),
    scenario(
        "A plugin that takes its time",
        "await analytics.register({name: 'slow', type: 'enrichment', version: '1', isLoaded: () => true, load: async () => {}, track: async (ctx) => { await new Promise((r) => setTimeout(r, 30)); ctx.event.properties.slow = true; return ctx; }}); await analytics.track('On')",
    ),
    scenario(
        "Source middleware changes events",
        "await analytics.addSourceMiddleware(({payload, next}) => { payload.obj.context.mine = payload.type(); next(payload); }); await analytics.track('On'); await analytics.identify('u1')",
    ),
    scenario(
        "Source middleware that keeps an event back",
        "await analytics.addSourceMiddleware(({payload, next}) => { if (payload.obj.event !== 'Secret') next(payload); }); await analytics.track('Secret'); await analytics.track('Open')",
    ),
    scenario(
        "Source middleware that passes null on",
        "await analytics.addSourceMiddleware(({payload, next}) => next(null)); await analytics.track('On')",
    ),
    scenario(
        "Source middleware that came before the library",
        Visit(
            early="analytics.addSourceMiddleware(({payload, next}) => { payload.obj.context.early = 1; next(payload); }); analytics.track('On')"
        ),
    ),
    scenario(
        "Destination middleware for nobody",
        "await analytics.addDestinationMiddleware('Nobody', ({payload, next}) => next(payload)); await analytics.track('On')",
    ),
    scenario(
        "A tracked link",
        Visit(body="<a id='go' href='/target'>go</a>"),
        "await analytics.trackLink(document.querySelector('#go'), 'Clicked', {a: 1})",
        Leave("document.querySelector('#go').click()"),
    ),
    scenario(
        "A tracked link whose name and properties are functions",
        Visit(body="<a id='go' href='/target'>go</a>"),
        "await analytics.trackLink([document.querySelector('#go')], (link) => `Clicked ${link.id}`, (link) => ({href: link.getAttribute('href')}))",
        Leave("document.querySelector('#go').click()"),
    ),
    scenario(
        "A tracked link to a new tab stays",
        Visit(body="<a id='go' href='/target' target='_blank' onclick='event.preventDefault()'>go</a>"),
        "await analytics.trackClick(document.querySelector('#go'), 'Clicked')",
        "document.querySelector('#go').click()",
    ),
    scenario(
        "A tracked button without an address stays",
        Visit(body="<button id='go'>go</button>"),
        "await analytics.trackLink(document.querySelector('#go'), 'Pressed')",
        "document.querySelector('#go').click()",
    ),
    scenario(
        "A tracked form",
        Visit(body="<form id='send' action='/target'><input name='q' value='lemon'><button>go</button></form>"),
        "await analytics.trackForm(document.querySelector('#send'), 'Sent', {a: 1})",
        Leave("document.querySelector('#send button').click()"),
    ),
    scenario(
        "A tracked form by its older name",
        Visit(body="<form id='send' action='/target'><button>go</button></form>"),
        "await analytics.trackSubmit([document.querySelector('#send')], 'Sent')",
        Leave("document.querySelector('#send button').click()"),
    ),
    scenario(
        "A tracked form is sent with the button that was pressed",
        Visit(body="<form id='send' action='/target'><button name='do' value='buy'>buy</button></form>"),
        "await analytics.trackForm(document.querySelector('#send'), 'Sent')",
        Leave("document.querySelector('#send button').click()"),
        intended={
            ".events[2].body.context.campaign": "links",
            ".events[2].body.context.page": "links",
            ".events[2].body.properties": "links",
        },
    ),
    scenario(
        "A tracked form that the page refuses",
        Visit(body="<form id='send' action='/target'><button>go</button></form>"),
        f"await analytics.trackForm(document.querySelector('#send'), 'Sent'); {REFUSE}",
        "document.querySelector('#send button').click()",
        reference_fails="sends the form",
    ),
    scenario(
        "A tracked link that the page's router follows",
        Visit(body="<a id='go' href='/target'>go</a>"),
        f"await analytics.trackLink(document.querySelector('#go'), 'Clicked'); {REFUSE}",
        "document.querySelector('#go').click()",
        reference_fails="loads the page anew",
    ),
    scenario(
        "Nothing to track",
        "await analytics.trackLink(null, 'x'); await analytics.trackForm(null, 'x'); await analytics.trackLink([], 'x')",
    ),
    scenario(
        "A link tells who somebody is",
        Visit("/?ajs_uid=u9&ajs_trait_plan=a%20b&ajs_trait_n=1"),
        "return [analytics.user().id(), analytics.user().traits()]",
    ),
    scenario("A link tells an event", Visit("/?ajs_event=Clicked+it&ajs_prop_where=mail")),
    scenario("A link tells an anonymousId", Visit("/?ajs_aid=anon7"), "return analytics.user().anonymousId()"),
    scenario(
        "A link tells everything, in its hash",
        Visit("/#/route?ajs_uid=u9&ajs_event=E&ajs_aid=a9"),
        "return [analytics.user().id(), analytics.user().anonymousId()]",
    ),
    scenario(
        "A link may tell nothing",
        Visit("/?ajs_uid=u9&ajs_event=E&ajs_aid=a9"),
        "return analytics.user().id()",
        load={"useQueryString": False},
    ),
    scenario(
        "A link may tell ids of a form only",
        Visit("/?ajs_uid=u9&ajs_aid=bad"),
        "return [analytics.user().id(), analytics.user().anonymousId() === 'bad']",
        load_script={"useQueryString": "{aid: /^good/, uid: /^u/}"},
    ),
)
