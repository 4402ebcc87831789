"""What an event passes: destinations that are on or off, plugins in their order, middleware, and what the queue tells."""

from __future__ import annotations

from typing import Any

from parity.story import Scenario
from parity.story import scenario as told

HELP = """
const calls = [];
const made = (name, type, more) => ({name, type, version: '1', isLoaded: () => true, load: async () => {}, ...more});
const note = (name) => (c) => { calls.push([name, c.event.event ?? c.event.type]); return c; };
const noting = (name, type = 'destination') => made(name, type, {track: note(name), identify: note(name), alias: note(name)});
const within = (work, ms) => Promise.race([work.then(() => 'done', (e) => 'failed ' + e), new Promise((go) => setTimeout(go, ms, 'waits'))]);
const heard = [];
const hear = (...names) => names.forEach((name) => analytics.queue.on(name, (c, e) => heard.push([name, e && String(e.message || e)])));
"""


def scenario(title: str, script: str, **more: Any) -> Scenario:
    """Return a scenario whose script has the helpers."""
    return told(title, HELP + script, **more)


SCENARIOS = (
    scenario(
        "Destinations that a call lets in or keeps out",
        "await analytics.register(noting('A'), noting('B'));"
        + "".join(
            f"await analytics.track('{number}', {{}}, {{integrations: {integrations}}});"
            for number, integrations in enumerate(
                (
                    "{A: false, 'Segment.io': false}",
                    "{All: false}",
                    "{All: false, A: true}",
                    "{All: false, A: {a: 1}}",
                    "{All: false, A: false, 'Segment.io': false}",
                    "{A: undefined, B: null}",
                )
            )
        )
        + "return calls",
    ),
    scenario(
        "Plugins in the order of their kinds",
        "await analytics.register(noting('after', 'after'), noting('destination'), noting('enrichment', 'enrichment'), noting('before 1', 'before'), noting('utility', 'utility'), noting('before 2', 'before')); await analytics.track('x'); return calls",
    ),
    scenario(
        "A destination gets what enrichments have made",
        "await analytics.register(made('E', 'enrichment', {track: (c) => { c.updateEvent('properties.x', 1); return c; }}), made('D', 'destination', {track: (c) => { calls.push({...c.event.properties}); return c; }})); await analytics.track('x'); return calls",
    ),
    scenario(
        "A call waits for a slow destination, its event does not",
        "await analytics.register(made('Slow', 'destination', {track: (c) => new Promise((go) => setTimeout(go, 600, c))})); const begun = performance.now(); await analytics.track('x'); return performance.now() - begun > 500",
    ),
    scenario(
        "A destination that sets its context's failure",
        "hear('delivery_failure', 'delivery_success', 'flush'); await analytics.register(made('D', 'destination', {track: (c) => { c.setFailedDelivery({reason: new Error('no')}); return c; }})); const c = await analytics.track('x'); return [heard, Boolean(c.failedDelivery()), c.logs().map((line) => line.message), c.stats.metrics.map((one) => one.metric)]",
    ),
    scenario(
        "Errors of plugins that keep nothing back",
        "const fails = {track: () => { throw new Error('no'); }}; await analytics.register(made('D', 'destination', fails), made('A', 'after', fails), made('E', 'enrichment', fails)); const c = await analytics.track('x'); return [!c.failedDelivery(), c.logs().filter((line) => line.level !== 'debug').map((line) => [line.level, line.message, line.extras.plugin])]",
    ),
    scenario(
        "A plugin that fails where nothing is tried again",
        "let n = 0; hear('delivery_failure', 'delivery_retry', 'flush'); await analytics.register(made('B', 'before', {track: () => { n += 1; throw new Error('no'); }})); const c = await new Promise((go) => void analytics.track('x', go)); return [n, heard, Boolean(c.failedDelivery())]",
        load={"retryQueue": False},
    ),
    scenario(
        "Hooks that return nothing",
        "await analytics.register(made('E', 'enrichment', {track: () => {}}), made('A', 'after', {track: () => null})); return await within(analytics.track('x'), 3000)",
    ),
    scenario(
        "Destinations that refuse at once are told by the next event",
        "hear('initialization_failure'); await analytics.register(noting('Good'), {...noting('Bad'), load: () => Promise.reject('no')}); await analytics.track('x'); return [calls, heard.length, analytics.queue.plugins.map((one) => one.name)]",
    ),
    scenario(
        "ready that one plugin refuses",
        "await analytics.register(made('A', 'destination', {ready: () => Promise.reject(new Error('never'))})); return await within(analytics.ready(() => calls.push(1)), 1000)",
    ),
    scenario(
        "Source middleware that takes its time, and that stops",
        "await analytics.addSourceMiddleware(async ({next, payload}) => { await new Promise((go) => setTimeout(go, 20)); payload.obj.properties.n = 1; await next(payload); }); await analytics.addSourceMiddleware(({next, payload}) => { if (payload.event() !== 'off') next(payload); }); const on = await analytics.track('on'); return [on.event.properties, await within(analytics.track('off'), 3000)]",
    ),
    scenario(
        "Readers of a middleware's payload",
        "await analytics.addSourceMiddleware(({next, payload}) => { calls.push([payload.type(), payload.event(), payload.proxy('properties.a.b'), payload.field('event'), payload.action(), payload.properties(), payload.traits(), typeof payload.options().page, payload.timestamp() instanceof Date]); next(payload); }); await analytics.track('x', {a: {b: 1}}, {context: {traits: {t: 1}}}); return calls",
    ),
    scenario(
        "The queue's own methods",
        "await analytics.queue.register({}, noting('Q'), analytics); await analytics.track('x'); const {queue} = analytics; const there = queue.plugins.map((one) => one.name); await queue.deregister({}, queue.plugins.find((one) => one.name === 'Q'), analytics); await analytics.track('y'); return [calls, there, queue.isEmpty(), queue.queue.length, queue.queue.maxAttempts]",
    ),
    scenario(
        "What is measured of an event",
        "await analytics.register(noting('A')); const c = await analytics.track('x', {items: ['a']}); return [c.stats.metrics.map((one) => one.metric), c.id === c.event.messageId]",
    ),
)
