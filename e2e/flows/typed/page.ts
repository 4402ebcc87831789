/* Code of a page that makes every call of analytics.js, as that library's own types describe it. What it gathers is told
   to the test that runs it. */
import type { AnalyticsSnippet, Context, Group, MiddlewareFunction, Plugin, SegmentEvent, User } from "@segment/analytics-next";

declare global {
  interface Window {
    analytics: AnalyticsSnippet;
    everyCall: () => Promise<Record<string, unknown>>;
  }
}

const seen: string[] = [];
const plugin: Plugin = {
  name: "Typed",
  type: "enrichment",
  version: "1.0.0",
  isLoaded: (): boolean => true,
  load: async (context: Context): Promise<void> => void seen.push(typeof context.logs()),
  track(context: Context): Context {
    context.updateEvent("properties.currency", "EUR");
    context.log("info", "enriched");
    context.stats.increment("typed");
    return context;
  },
};
const middleware: MiddlewareFunction = ({ payload, next, integrations }) => {
  seen.push(`${payload.type()} ${typeof integrations}`);
  next(payload);
};

async function events(): Promise<SegmentEvent[]> {
  const { analytics } = window;
  const contexts: Context[] = await Promise.all([
    analytics.track("Ordered", { total: 5 }, { integrations: { Other: false } }),
    analytics.track({ type: "track", event: "Whole", properties: { total: 6 } }),
    analytics.page("Shop", "Cart", { title: "A cart" }),
    analytics.screen("Start", { title: "Start" }),
    analytics.identify("u1", { plan: "pips" }),
    analytics.group("g1", { name: "Satsuma" }),
    analytics.alias("u2", "u1"),
  ]);
  const called = await new Promise<Context>((resolve) => void analytics.track("Called", {}, {}, resolve));
  return [...contexts, called].map((context: Context): SegmentEvent => context.event);
}

function identity(): unknown[] {
  const user: User = window.analytics.user();
  const group: Group = window.analytics.group();
  const told = [user.id(), typeof user.anonymousId(), user.traits(), group.id(), group.traits(), user.load().id()];
  user.traits({ plan: "grove" });
  group.identify("g2", { name: "Grove" });
  return [...told, user.traits(), group.id(), user.save(), window.analytics.setAnonymousId("a1"), user.options.persist];
}

function listeners(): unknown[] {
  const { analytics } = window;
  const heard: unknown[] = [];
  const listener = (...args: unknown[]): void => void heard.push(args);
  analytics.on("typed", listener).once("typed", listener).emit("typed", 1);
  analytics.off("typed", listener).emit("typed", 2);
  analytics.queue.on("message_delivered", (context: Context) => heard.push(context.event.type));
  return heard;
}

function settings(): unknown[] {
  const { analytics } = window;
  analytics.timeout(400);
  analytics.debug(false);
  const normal: SegmentEvent = analytics.normalize({ type: "track", event: "Normal", properties: {} });
  const held = analytics.storage;
  held.set("typed", { a: 1 });
  return [
    analytics.settings.writeKey, analytics.settings.timeout, typeof analytics.settings.apiHost, typeof analytics.VERSION,
    analytics.initialized, analytics.failedInitializations, analytics.integrations, typeof analytics.options, normal.event,
    held.get("typed"), analytics.queue.plugins.map((one) => one.name), Object.keys(analytics.Integrations),
  ];
}

async function elements(): Promise<unknown[]> {
  const { analytics } = window;
  const link = document.createElement("a");
  const form = document.createElement("form");
  const answers = [
    await analytics.trackLink(link, "Link", { a: 1 }),
    await analytics.trackClick([link], () => "Click"),
    await analytics.trackForm(form, "Form", () => ({ a: 1 })),
    await analytics.trackSubmit([form], "Submit"),
    await analytics.addDestinationMiddleware("*", ({ payload, next }) => next(payload)),
    await analytics.pageview("/viewed"),
  ];
  return answers.map((answer) => answer === analytics);
}

window.everyCall = async () => {
  const { analytics } = window;
  const registered: Context = await analytics.register(plugin);
  await analytics.addSourceMiddleware(middleware);
  const told = {
    events: await events(),
    identity: identity(),
    listeners: listeners(),
    settings: settings(),
    elements: await elements(),
    registered: registered.logs().length,
    ready: Array.isArray(await analytics.ready(() => seen.push("ready"))),
    asked: (await analytics.queryString("?ajs_event=Asked")).map((context: Context) => context.event.event),
    used: analytics.use((one) => seen.push(typeof one.track)) === analytics,
    deregistered: (await analytics.deregister("Typed", "Nothing")).logs().map((line) => String(line.message)),
    seen,
  };
  analytics.reset();
  return told;
};
