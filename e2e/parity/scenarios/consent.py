"""Segment's consent tools around both libraries: what a page that asks its visitors first loads, sends and keeps back.

The facts are those of the own tests of ``@segment/analytics-consent-tools``, whose very code runs here; the scripts are
our own.
"""

from __future__ import annotations

from typing import Any

from parity.story import Scenario, Visit, scenario

INTEGRATION = "{name: '%s', categories: %s}"
HEAD = """<script src="/library/consent.js"></script><script>
window.seen = []; window.errors = []; window.plugins = []; window.consentSettings = undefined;
{ const {error} = console; console.error = (...given) => { errors.push(String(given[0])); }; }
{ const own = window.fetch; window.fetch = async (url, ...more) => {
    const answer = await own.call(window, url, ...more);
    return /\\/settings$/.test(url) ? new Response(JSON.stringify(laid(await answer.json()))) : answer; }; }
function laid(settings) {
    const integrations = {...settings.integrations};
    for (const {name, categories} of plugins) integrations[name] = {...(categories && {consentSettings: {categories}})};
    const remotePlugins = plugins.map(({name}) => ({name, creationName: name, libraryName: 'made' + name, settings: {},
        url: 'data:text/javascript,' + encodeURIComponent(`window.made${name} = () => ({name: '${name}', type: 'destination', version: '1',
            isLoaded: () => true, load: async () => { seen.push(['load', '${name}']); }, track: (c) => { seen.push(['${name}', c.event.event]); return c; }})`)}));
    return {...settings, integrations, remotePlugins, ...(consentSettings && {consentSettings})};
}
window.destinations = (all) => { plugins = Object.entries(all).map(([name, categories]) => ({name, categories})); };
window.wrap = (more) => createWrapper({getCategories: () => ({Advertising: true}), registerOnConsentChanged: (tell) => { window.change = tell; }, ...more})(analytics);
window.load = (options) => { window.loaded = analytics.load('reference', {...stageOptions, ...options}).then((value) => ['done', typeof value], (error) => ['failed', error.name, String(error.message).split(/[.:(]/)[0]]); };
</script>"""
"""Gives the settings destinations of its own, and writes down what they see. ``stageOptions`` are the stage's."""

LOADED = "return [await loaded, analytics.initialized]"
NOT_LOADED = "return [await loaded, Array.isArray(analytics), errors, performance.getEntriesByType('resource').filter(({name}) => /analytics.min.js/.test(name)).length]"
TOLD = "await analytics.track('T'); return [seen.sort(), errors]"
FOUR = "destinations({Google: ['Analytics'], Face: ['Advertising'], Tik: ['Advertising'], Pin: ['Advertising']});"
IRRELEVANT = "consentSettings = {allCategories: ['Other'], hasUnmappedDestinations: false};"
RELEVANT = "consentSettings = {allCategories: ['Advertising'], hasUnmappedDestinations: false};"
OPT_OUT = "shouldLoadSegment: (ctx) => ctx.load({consentModel: 'opt-out'})"
STATE = "return [analytics.queue.plugins.map(({name}) => name), seen.length]"


def asked(title: str, wrapper: str, script: str, *, options: str = "{}", before: str = "", up: bool = True) -> Scenario:
    """Return a scenario whose page wraps the library, and loads it through the wrapper.

    Args:
        title: of the scenario.
        wrapper: settings of the wrapper, as JavaScript.
        script: what is compared.
        options: of the load.
        before: JavaScript before that.
        up: whether the library comes up.
    """
    early = f"{before} wrap({{{wrapper}}}); load({options});"
    return scenario(title, Visit(head=HEAD, early=early, comes_up=up), script, loads=False)


def gated(title: str, destinations: str, wrapper: str = "", **more: Any) -> Scenario:
    """Return a scenario that tells which destinations the answer lets in."""
    return asked(title, wrapper, TOLD, before=f"destinations({destinations});", **more)


SCENARIOS = (
    asked(
        "Load options come through the wrapper",
        "",
        "return [analytics.settings.cdnSettings.some_new_key, analytics.options.anyOption, typeof analytics.options.updateCDNSettings]",
        options="{anyOption: 'foo', updateCDNSettings: (s) => ({...s, some_new_key: 123})}",
    ),
    asked(
        "Every event has the answer",
        "getCategories: () => ({A: true, B: false})",
        "await analytics.track('T'); await analytics.identify('u')",
    ),
    asked(
        "An answer that is promised", "getCategories: async () => ({A: true, B: false})", "await analytics.track('T')"
    ),
    asked("The page of the stub has the answer too", "", "return 1"),
    *(
        asked(
            f"Abort, {what}",
            f"shouldLoadSegment: (ctx) => ctx.abort({{loadSegmentNormally: {normally}}})",
            script,
            up=up,
        )
        for what, normally, script, up in (
            (
                "and load normally",
                "true",
                "await analytics.track('T'); return [await loaded, analytics.initialized, errors]",
                True,
            ),
            ("and load nothing", "false", NOT_LOADED, False),
        )
    ),
    asked(
        "Abort, and load normally with the page's options",
        "shouldLoadSegment: (ctx) => ctx.abort({loadSegmentNormally: true})",
        "return [analytics.options.foo, (await analytics.track('T')).event.context.consent]",
        options="{foo: 'bar'}",
    ),
    asked(
        "Both abort and load",
        "shouldLoadSegment: (ctx) => { ctx.abort({loadSegmentNormally: true}); ctx.load({consentModel: 'opt-in'}); }",
        NOT_LOADED,
        up=False,
    ),
    asked("An error of the page's own", "shouldLoadSegment: () => { throw new Error('hello'); }", NOT_LOADED, up=False),
    asked(
        "Nothing is loaded before the page says so",
        "shouldLoadSegment: async () => { await new Promise((go) => setTimeout(go, 150)); window.before = [Array.isArray(analytics), document.scripts.length, document.cookie]; }",
        "return [before[0], before[2], await loaded]",
    ),
    asked("The page says nothing", "shouldLoadSegment: () => undefined", LOADED),
    asked("The page says nothing, later", "shouldLoadSegment: async () => undefined", LOADED),
    asked("Categories that are none", "getCategories: () => undefined", NOT_LOADED, up=False),
    scenario(
        "Settings of the wrapper that are none",
        Visit(head=HEAD, comes_up=False),
        "try { wrap({getCategories: {}}); } catch (error) { return [error.name, String(error.message).slice(0, 40)]; }",
        loads=False,
    ),
    gated("Destinations by consent", "{Mismatch: ['Foo'], None: undefined, Match: ['Advertising']}"),
    gated("One category that is agreed to", "{Mock: ['Foo']}", "getCategories: () => ({Foo: true})"),
    gated(
        "Several categories that are agreed to",
        "{Mock: ['Foo', 'Bar']}",
        "getCategories: () => ({Foo: true, Bar: true})",
    ),
    gated("Several categories, and one is agreed to", "{Mock: ['Foo', 'Bar']}", "getCategories: () => ({Foo: true})"),
    asked("Several destinations of one category", "getCategories: () => ({Analytics: true})", TOLD, before=FOUR),
    asked("Switched off by the page: no", "shouldDisableSegment: () => false", LOADED),
    asked("Switched off by the page: yes", "shouldDisableSegment: () => true", NOT_LOADED, up=False),
    asked("Switched off by the page: yes, later", "shouldDisableSegment: async () => true", NOT_LOADED, up=False),
    gated(
        "Destinations by the page's own rule",
        "{Off: undefined, On: undefined}",
        "shouldEnableIntegration: (categories, agreed, {creationName}) => creationName !== 'Off'",
    ),
    gated(
        "Destinations by the page's own map",
        "{One: ['Advertising'], Two: undefined}",
        "integrationCategoryMappings: {One: ['Foo'], Two: ['Advertising']}",
    ),
    asked(
        "An answer that changes",
        "",
        "change({C1: true, C2: false}); await analytics.flush?.(); await new Promise((go) => setTimeout(go, 400)); return errors",
    ),
    asked(
        "An answer that changes into none",
        "",
        "change(['oops']); await new Promise((go) => setTimeout(go, 200)); return errors.map((line) => line.split(/[ :]/)[0])",
    ),
    *(
        asked(f"Only categories that matter to nobody: {what}", "", STATE, before=before, options=options)
        for what, before, options in (
            ("no destination hears of it", IRRELEVANT, "{}"),
            ("disable is false", IRRELEVANT, "{disable: false}"),
            ("the page's function says no", IRRELEVANT, "{disable: () => false}"),
            ("some matter", RELEVANT, "{}"),
            ("disable is true", RELEVANT, "{disable: true}"),
            ("the page's function says yes", RELEVANT, "{disable: () => true}"),
            ("disable is a text", RELEVANT, "{disable: 'foo'}"),
        )
    ),
    *(
        asked(
            f"The first page view by option: {value}",
            "",
            "await new Promise((go) => setTimeout(go, 100)); return analytics.options.initialPageview",
            options=f"{{initialPageview: {value}}}",
        )
        for value in ("true", "false", "undefined")
    ),
    asked(
        "The first page view is that of the time before the answer",
        "shouldLoadSegment: async (ctx) => { await new Promise((go) => setTimeout(go, 100)); history.replaceState(null, '', '/later'); ctx.abort({loadSegmentNormally: true}); }",
        "await new Promise((go) => setTimeout(go, 100))",
        options="{initialPageview: true}",
    ),
    gated("Opt-out: everything is loaded", "{Mismatch: ['Foo'], Match: ['Advertising']}", OPT_OUT),
    asked(
        "Opt-out: a destination that is refused later",
        f"{OPT_OUT}, getCategories: () => window.now || {{Foo: true}}",
        "await analytics.track('A'); window.now = {Foo: false}; await analytics.track('B'); return seen",
        before="destinations({One: ['Foo'], Two: undefined});",
    ),
    asked(
        "Opt-out: nothing is sent for categories that matter to nobody",
        OPT_OUT,
        "const c = await analytics.track('T'); return Boolean(c.failedDelivery())",
        before=IRRELEVANT,
    ),
    asked("Opt-out: sent for one that matters", OPT_OUT, "await analytics.track('T'); return errors", before=RELEVANT),
    asked(
        "Opt-in by name",
        "shouldLoadSegment: (ctx) => ctx.load({consentModel: 'opt-in'})",
        TOLD,
        before="destinations({One: ['Foo'], Two: ['Advertising']});",
    ),
    asked(
        "A wrapper that is loaded late",
        "shouldLoadWrapper: () => new Promise((go) => setTimeout(go, 100))",
        "return [await loaded, typeof window.change]",
    ),
    asked(
        "The stub that was wrapped finds the library",
        "",
        "change({C1: true}); await new Promise((go) => setTimeout(go, 300)); return analytics.initialized",
    ),
)
