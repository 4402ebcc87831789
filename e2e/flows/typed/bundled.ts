/* Code of a bundled app that makes every call of AnalyticsBrowser, as analytics-next's own types describe it. What it gathers is
   told to the test that runs it. */
import { AnalyticsBrowser } from "@segment/analytics-next";
import type { Analytics, Context, Group, MiddlewareFunction, Plugin, User } from "@segment/analytics-next";

declare global {
  interface Window {
    told: Promise<Record<string, unknown>>;
    loaded: AnalyticsBrowser;
  }
}

const heard: unknown[] = [];
const plugin: Plugin = {
  name: "Bundled",
  type: "enrichment",
  version: "1.0.0",
  isLoaded: () => true,
  load: async (_context: Context, analytics: Analytics) => void heard.push(typeof analytics.track),
  track(context: Context): Context {
    context.updateEvent("properties.currency", "EUR");
    return context;
  },
};
const middleware: MiddlewareFunction = ({ payload, next }) => {
  heard.push(payload.type());
  next(payload);
};

/* The write key and the collector are in the page's own address. */
const place = new URLSearchParams(location.search);
const early = new AnalyticsBrowser();
const answers = [early.track("Before loading", { total: 1 }), early.identify("u1", { plan: "pips" })];
const analytics: AnalyticsBrowser = early.load({ writeKey: place.get("key") ?? "", cdnURL: place.get("cdn") ?? "", plugins: [plugin] });
analytics.on("track", (name: string) => heard.push(name)).once("page", () => heard.push("page")).debug(false);
window.loaded = analytics;

async function everyCall(): Promise<Record<string, unknown>> {
  const link = document.createElement("a");
  const form = document.createElement("form");
  const started: boolean = analytics.instance === undefined;
  const made: Promise<Context>[] = [
    analytics.page("Shop", "Cart", { title: "A cart" }),
    analytics.screen("Start"),
    analytics.group("g1", { name: "Satsuma" }),
    analytics.alias("u2", "u1"),
    analytics.track("Ordered", { total: 5 }, { integrations: { Other: false } }, (context: Context) => heard.push(context.event.event)),
  ];
  const [instance, context]: [Analytics, Context] = await analytics;
  const user: User = await analytics.user();
  const group: Group = await analytics.group();
  const contexts: Context[] = await Promise.all([...answers, ...made]);
  const chained = [
    await analytics.trackLink(link, "Link"),
    await analytics.trackClick([link], "Click"),
    await analytics.trackSubmit([form], () => "Form"),
    await analytics.trackSubmit(form, "Submit"),
    await analytics.pageView("/viewed"),
    await analytics.addSourceMiddleware(middleware),
    await analytics.addDestinationMiddleware("*", ({ payload, next }) => next(payload)),
  ];
  const told = {
    started,
    events: contexts.map((one) => [one.event.type, one.event.event ?? one.event.name ?? null]),
    properties: contexts.map((one) => one.event.properties?.currency ?? null),
    identity: [user.id(), user.traits(), group.id(), typeof user.anonymousId()],
    chained: chained.map((one) => one === instance),
    same: [analytics.instance === instance, context.logs().length, Array.isArray(await analytics.ready()), typeof analytics.VERSION],
    deregistered: (await analytics.deregister("Bundled")).logs().length,
    anonymous: await analytics.setAnonymousId("a1"),
    reset: (await analytics.reset()) === undefined,
    last: (await analytics.register()).logs().length,
    caught: await analytics.catch(() => null).finally(() => {}) !== null,
    heard,
  };
  return told;
}

window.told = everyCall();
