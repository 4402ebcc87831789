/* Whatever analytics-next's types name, ours name, too, but for what that library itself has declared to do nothing. */
import type * as Theirs from "@segment/analytics-next";
import type * as Ours from "@satsuma/analytics";

type Nothing =
  | "log" | "addIntegrationMiddleware" | "listeners" | "addEventListener" | "removeAllListeners" | "removeListener"
  | "removeEventListener" | "hasListeners" | "add" | "addIntegration"
  | "maxListeners"; // a number of the emitter that it is built on
/* Parts that analytics-next itself is built of: an app has them in its source, `await AnalyticsBrowser.load(…)`. docs/npm.md says it. */
type Built = "Analytics" | "NullAnalytics" | "AnalyticsNode" | "EventFactory" | "Group" | "User" | "UniversalStorage" | "segmentio";
type Missing = {
  exports: Exclude<keyof typeof Theirs, keyof typeof Ours | Built>;
  browser: Exclude<keyof Theirs.AnalyticsBrowser, keyof Ours.AnalyticsBrowser>;
  statics: Exclude<keyof typeof Theirs.AnalyticsBrowser, keyof typeof Ours.AnalyticsBrowser>;
  analytics: Exclude<keyof Theirs.Analytics, keyof Ours.Analytics | Nothing>;
  user: Exclude<keyof Theirs.User, keyof Ours.User>;
  context: Exclude<keyof Theirs.Context, keyof Ours.Context>;
  plugin: Exclude<keyof Theirs.Plugin, keyof Ours.Plugin>;
  options: Exclude<keyof Theirs.InitOptions, keyof Ours.InitOptions>;
  settings: Exclude<keyof Theirs.AnalyticsBrowserSettings, keyof Ours.AnalyticsBrowserSettings | "classicIntegrations">;
};

export const missing: { [kind in keyof Missing]: [Missing[kind]] extends [never] ? "none" : Missing[kind] } = {
  exports: "none", browser: "none", statics: "none", analytics: "none", user: "none", context: "none", plugin: "none", options: "none", settings: "none",
};
