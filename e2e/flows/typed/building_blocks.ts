/* Code that uses whatever of analytics-next's exports ours has, too: compiled with the types of both, and run with both. */
import {
  AnalyticsBrowser, Context, ContextCancelation, getGlobalAnalytics, isDestinationPluginWithAddMiddleware, resolveAliasArguments,
  resolveArguments, resolvePageArguments, resolveUserArguments,
} from "@segment/analytics-next";
import type {
  Analytics, AnalyticsBrowserSettings, AnalyticsSettings, AnalyticsSnippet, Callback, CancelationOptions, CDNSettings,
  ContextFailedDelivery, EventProperties, Group, GroupTraits, ID, InitOptions, JSONArray, JSONObject, JSONPrimitive, JSONValue,
  MiddlewareFunction, Options, Plan, PlanEvent, Plugin, RemoteIntegrationSettings, SegmentEvent, SerializedContext, StorageObject,
  Store, TrackPlan, Traits, User, UserOptions, UserTraits, WithId,
} from "@segment/analytics-next";

/* Every type by its name, each in a use of its own. */
export interface Named {
  analytics: Analytics; snippet: AnalyticsSnippet; group: Group; user: User; plugin: Plugin; middleware: MiddlewareFunction;
  browser: AnalyticsBrowserSettings; settings: AnalyticsSettings; cdn: CDNSettings; remote: RemoteIntegrationSettings; init: InitOptions;
  failed: ContextFailedDelivery; serialized: SerializedContext; cancelation: CancelationOptions; event: SegmentEvent;
  options: Options; plan: Plan; track: TrackPlan; planned: PlanEvent; callback: Callback; properties: EventProperties;
  array: JSONArray; object: JSONObject; primitive: JSONPrimitive; value: JSONValue; traits: Traits; groups: GroupTraits;
  users: UserTraits; id: ID; kept: UserOptions; known: WithId; store: Store; stored: StorageObject;
}

const known: WithId = { id: (): ID => "known" };
const done = (context: Context): unknown => context.event;
const asked: Options = { context: { a: 1 } };
const whole: SegmentEvent = { type: "track", event: "Whole", properties: { b: 2 } };
const place: JSONObject = { at: [1, "two", null, { three: true }] };
const store: Store = { get: () => null, set: () => {}, remove: () => {} };

function error(work: () => unknown): string {
  try {
    work();
  } catch (failure) {
    return failure instanceof Error ? failure.message : JSON.stringify(failure);
  }
  return "none";
}

function contexts(): unknown[] {
  const context = new Context({ type: "track", event: "Made", integrations: { Off: false } }, "c1");
  const other: Context = Context.system();
  context.log("warn", "said", { a: 1 });
  context.stats.increment("counted", 2, ["t:1"]);
  context.updateEvent("properties.list", ["x"]);
  context.updateEvent("integrations.Off.k", 1);
  context.setFailedDelivery({ reason: "lost" });
  const failed: ContextFailedDelivery | undefined = context.failedDelivery();
  const told: SerializedContext = context.toJSON();
  const options: CancelationOptions = { retry: false, reason: "why", type: "kind" };
  const stopped = new ContextCancelation(options);
  return [
    told.id, told.event, told.logs.map(({ level, message, extras }) => [level, message, extras]), context.stats.metrics.map(({ metric, value, tags }) => [metric, value, tags]),
    failed?.reason, context.isSame(other), other.event, context.attempts, [stopped.retry, stopped.reason, stopped.type],
    error(() => context.cancel(new ContextCancelation({}))), error(() => context.cancel(new Error("stop"))), typeof new Context({ type: "page" }).id,
  ];
}

const plugin: Plugin = { name: "One", type: "destination", isLoaded: () => true, load: async () => undefined };
/* Functions can't be told: their names stand for them. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value, (_, one) => (typeof one === "function" ? `function ${one.name}` : one === undefined ? "undefined" : one)));
const cases: unknown[][] = [
  [], ["a"], ["a", "b"], ["a", "b", "c"], ["a", { p: 1 }], ["a", { p: 1 }, asked], ["a", { p: 1 }, asked, done], ["a", "b", { p: 1 }, asked, done], ["a", done],
  ["a", { p: 1 }, done], [null, "b"], [null, null, { p: 1 }], [null, null, null, asked], [undefined, { p: 1 }, done], [5], [5, 6], [5, { p: 1 }], ["", "b", asked], [done],
  [{ p: 1 }], [{ p: 1 }, asked], [{ p: 1 }, asked, done], [whole], [whole, asked], [whole, done], [whole, asked, done], [whole, done, asked], [{ type: "track" }], ["a", [1]], ["a", null, null, done],
  ["a", "b", done], [["x"], { p: 1 }], [true, { p: 1 }], ["a", { p: 1 }, undefined, done], [NaN, { p: 1 }], ["a", { p: 1 }, "text", done], [new Date(0), { p: 1 }], ["a", "b", { p: 1 }, asked, { z: 1 }],
];
type Loose = (...given: unknown[]) => unknown;

export const told = {
  resolved: [resolveArguments, resolvePageArguments, resolveUserArguments(known), resolveAliasArguments].map((read) =>
    cases.map((given) => { let answer: unknown; const failed = error(() => (answer = (read as Loose)(...given))); return failed === "none" ? plain(answer) : failed; })),
  contexts: plain(contexts()),
  middleware: [plugin, { ...plugin, addMiddleware: () => {} }, { ...plugin, type: "before" as const, addMiddleware: () => {} }].map((one) => isDestinationPluginWithAddMiddleware(one)),
  names: [typeof AnalyticsBrowser.load, typeof AnalyticsBrowser.standalone, typeof getGlobalAnalytics, Object.keys(place), typeof store.get],
};
