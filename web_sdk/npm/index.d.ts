/** Types of the whole API. Code that analytics-next's own types let pass, these let pass, too; a test holds them to that. */

export type ID = string | null | undefined;
export type Timestamp = Date | string | number;
export type EventProperties = Record<string, any>;
export type UserTraits = Record<string, any>;
export type GroupTraits = Record<string, any>;
export type Traits = UserTraits | GroupTraits;
export type JSONPrimitive = string | number | boolean | null;
export type JSONValue = JSONPrimitive | JSONObject | JSONArray;
export type JSONObject = { [member: string]: JSONValue };
export type JSONArray = JSONValue[];
export type EventType = "track" | "page" | "identify" | "group" | "alias" | "screen";
export type IntegrationsOptions = { All?: boolean; [integration: string]: boolean | Record<string, unknown> | undefined };

/** What may be told of one call. */
export interface Options {
  integrations?: IntegrationsOptions;
  /** When it happened: a Date, an ISO 8601 text, or seconds (from 1e11 on milliseconds) since 1970. */
  timestamp?: Timestamp;
  context?: Record<string, any>;
  anonymousId?: string;
  userId?: string;
  traits?: Traits;
  messageId?: string;
  [key: string]: any;
}

export interface SegmentEvent {
  messageId?: string;
  type: EventType;
  category?: string;
  name?: string;
  event?: string;
  properties?: EventProperties;
  traits?: Traits;
  integrations?: IntegrationsOptions;
  context?: Record<string, any>;
  options?: Options;
  userId?: ID;
  anonymousId?: ID;
  groupId?: ID;
  previousId?: ID;
  writeKey?: string;
  sentAt?: Date;
  timestamp?: Timestamp;
  _metadata?: Record<string, unknown>;
}

export type LogLevel = "debug" | "info" | "warn" | "error";
export interface LogMessage {
  level: LogLevel;
  message: string;
  time?: Date;
  extras?: Record<string, any>;
}
export interface Metric {
  metric: string;
  value: number;
  type: "gauge" | "counter";
  tags: string[];
  timestamp: number;
}
export interface ContextFailedDelivery {
  reason: unknown;
}

export interface CancelationOptions {
  /** Whether the event is tried again; true where it isn't given. */
  retry?: boolean;
  reason?: string;
  type?: string;
}

/** What a plugin throws to keep an event back: `throw new ContextCancelation({ retry: false, reason: "a test" })`. */
export declare class ContextCancelation {
  constructor(options: CancelationOptions);
  retry: boolean;
  type: string;
  reason?: string;
}

export interface SerializedContext {
  id: string;
  event: SegmentEvent;
  logs: LogMessage[];
  metrics?: Metric[];
}

/** One event on its way, as plugins, callbacks and promises see it. */
export declare class Context {
  constructor(event: SegmentEvent, id?: string);
  /** The context of what belongs to no event. */
  static system(): Context;
  event: SegmentEvent;
  attempts: number;
  readonly id: string;
  readonly logger: { readonly logs: LogMessage[]; log(level: LogLevel, message: string, extras?: object): void; flush(): void };
  readonly stats: {
    metrics: Metric[];
    increment(metric: string, by?: number, tags?: string[]): void;
    gauge(metric: string, value: number, tags?: string[]): void;
    flush(): void;
  };
  log(level: LogLevel, message: string, extras?: object): void;
  logs(): LogMessage[];
  cancel(error?: Error | ContextCancelation | object): never;
  updateEvent(path: string, value: unknown): SegmentEvent;
  failedDelivery(): ContextFailedDelivery | undefined;
  setFailedDelivery(failure: ContextFailedDelivery): void;
  isSame(other: Context): boolean;
  flush(): void;
  toJSON(): SerializedContext;
}

export type Callback = (context: Context) => unknown;

export interface Plugin {
  name: string;
  alternativeNames?: string[];
  version?: string;
  type: "before" | "after" | "destination" | "enrichment" | "utility";
  isLoaded: () => boolean;
  load: (context: Context, analytics: Analytics) => Promise<unknown>;
  unload?: (context: Context, analytics: Analytics) => Promise<unknown> | unknown;
  ready?: () => Promise<unknown>;
  track?: (context: Context) => Promise<Context> | Context;
  identify?: (context: Context) => Promise<Context> | Context;
  page?: (context: Context) => Promise<Context> | Context;
  group?: (context: Context) => Promise<Context> | Context;
  alias?: (context: Context) => Promise<Context> | Context;
  screen?: (context: Context) => Promise<Context> | Context;
}

/** What a middleware is given of an event. */
export interface Payload {
  obj: SegmentEvent;
  field(name: string): any;
  proxy(path: string): any;
  rawEvent(): SegmentEvent;
  json(): SegmentEvent;
  action(): EventType;
  type(): EventType;
  event(): any;
  name(): any;
  category(): any;
  userId(): any;
  anonymousId(): any;
  groupId(): any;
  previousId(): any;
  properties(): any;
  traits(): any;
  context(): any;
  options(): any;
  integrations(): any;
  timestamp(): any;
  enabled(integration: string): boolean;
}
export interface MiddlewareParams {
  payload: Payload;
  integrations?: IntegrationsOptions;
  next: (payload: Payload | null) => void;
}
export interface DestinationMiddlewareParams {
  payload: Payload;
  integration: string;
  next: (payload: Payload | null) => void;
}
export type MiddlewareFunction = (params: MiddlewareParams) => void | Promise<void>;
export type DestinationMiddlewareFunction = (params: DestinationMiddlewareParams) => void | Promise<void>;

export type StoreType = "cookie" | "localStorage" | "memory";
export interface CookieOptions {
  maxage?: number;
  domain?: string;
  path?: string;
  secure?: boolean;
  sameSite?: string;
}
export type StorageSettings = { stores: (StoreType | { name: StoreType; settings?: CookieOptions })[] } | object;
export type StorageObject = Record<string, unknown>;
/** A place that keeps values by their names. */
export interface Store<Data extends StorageObject = StorageObject> {
  get<K extends keyof Data>(key: K): Data[K] | null;
  set<K extends keyof Data>(key: K, value: Data[K] | null): void;
  remove<K extends keyof Data>(key: K): void;
}
export interface UserOptions {
  disable?: boolean;
  localStorageFallbackDisabled?: boolean;
  persist?: boolean;
  cookie?: { key?: string; oldKey?: string };
  localStorage?: { key: string };
  storage?: StorageSettings;
}

/** Whoever has an id: a user or a group. */
export interface WithId {
  id(id?: ID): ID;
}
export interface User extends WithId {
  options: UserOptions;
  id(id?: ID): ID;
  anonymousId(id?: ID): ID;
  traits(traits?: Traits | null): Traits | undefined;
  identify(id?: ID, traits?: Traits): void;
  logout(): void;
  reset(): void;
  load(): User;
  save(): boolean;
}
export type Group = User;

/** What the delivery to the collector has come to. */
export interface DeliveryReport {
  queued: number;
  inflight: number;
  /** Where Python was to run, and why that was chosen where the page did not say so. */
  python: "page" | "worker" | "service" | "collector";
  because: "" | "save-data" | "slow connection" | "little memory";
  [count: string]: any;
}

/** Which events are on, and which destinations get them. */
export interface PlanEvent {
  enabled: boolean;
  integrations?: { [integration: string]: boolean };
}
export interface TrackPlan {
  [event: string]: PlanEvent | undefined;
  __default?: PlanEvent;
}
export interface Plan {
  track?: TrackPlan;
  identify?: TrackPlan;
  group?: TrackPlan;
}

/** Settings of one destination, as the collector tells them. */
export interface RemoteIntegrationSettings {
  type?: string;
  versionSettings?: { version?: string; override?: string; componentTypes?: ("browser" | "android" | "ios" | "server")[] };
  bundlingStatus?: "bundled" | "unbundled";
  consentSettings?: { categories: string[] };
  [setting: string]: any;
}

/** Settings of a source, as the collector tells them. */
export interface CDNSettings {
  integrations: { [name: string]: any };
  remotePlugins?: any[];
  plan?: any;
  [key: string]: any;
}

/** What `analytics.settings` was made of. */
export interface AnalyticsSettings {
  writeKey: string;
  cdnSettings?: CDNSettings;
  cdnURL?: string;
}

export interface AnalyticsBrowserSettings {
  writeKey: string;
  /** Where the collector is, as `https://collector.example`; without it, the page's own origin. */
  cdnURL?: string;
  /** Settings in place of those that the collector tells. */
  cdnSettings?: CDNSettings;
  /** Plugins, and factories of those that the source's settings name: no script is loaded for these. */
  plugins?: (Plugin | PluginFactory)[];
  /** Classes of destinations of the classic library, which need settings of the source's or of the page's. */
  classicIntegrations?: any[];
}

/** Makes the plugins of one destination of the source's settings. */
export interface PluginFactory {
  (settings: any): Plugin | Plugin[] | Promise<Plugin | Plugin[]>;
  pluginName: string;
}

/** Options of a source. Those that analytics.js has not are told of in Satsuma's README. */
export interface InitOptions {
  /** Calls `page()` as soon as the source is loaded. */
  initialPageview?: boolean;
  disableClientPersistence?: boolean;
  disableAutoISOConversion?: boolean;
  cookie?: CookieOptions;
  storage?: StorageSettings;
  user?: UserOptions;
  group?: UserOptions;
  integrations?: IntegrationsOptions;
  plan?: any;
  retryQueue?: boolean;
  obfuscate?: boolean;
  updateCDNSettings?: (settings: any) => any;
  useQueryString?: boolean | { aid?: RegExp; uid?: RegExp };
  highEntropyValuesClientHints?: string[];
  /** Name of the page's global object; `analytics` where it isn't given. */
  globalAnalyticsKey?: string;
  disable?: boolean | ((settings: any) => boolean | Promise<boolean>);
  /** "required": nothing is kept or sent before `consent(true)`. */
  consent?: "required";
  respectGlobalPrivacyControl?: boolean;
  respectDoNotTrack?: boolean;
  trackPrerendering?: boolean;
  /** Addresses of modules in Python, each with a list called `plugins`. */
  pythonPlugins?: string[];
  /** Python runs in a worker of the page. */
  worker?: boolean;
  /**
   * Where Python runs. "service": one for all pages of the site, in its service worker. "collector": at the collector, and in
   * the page only once something asks for it; the default where the visitor saves data, or connection or memory are small.
   */
  python?: "page" | "collector" | "service";
  /** Calls go to the collector before Python is up. */
  early?: boolean;
}

type Elements<One> = One | One[] | { toArray(): One[] } | null;
type TextOrFunction = string | Function;
type EventArguments = [event: string | SegmentEvent, properties?: EventProperties | Callback, options?: Options | Callback, callback?: Callback];
type PageArguments = [
  category?: string | object | null,
  name?: string | object | Callback | null,
  properties?: EventProperties | Options | Callback | null,
  options?: Options | Callback,
  callback?: Callback,
];
type WhoArguments = [id?: ID | object, traits?: Traits | Callback | null, options?: Options | Callback, callback?: Callback];
type AliasArguments = [to: string | number, from?: string | number | Options, options?: Options | Callback, callback?: Callback];
type LinkArguments = [links: Elements<Element>, event: TextOrFunction, properties?: EventProperties | Function, options?: Options];
type FormArguments = [forms: HTMLFormElement | HTMLFormElement[] | null, event: TextOrFunction, properties?: EventProperties | Function, options?: Options];

/** Calls that are answered in the same way before and after Python is up. */
interface Calls {
  track(...args: EventArguments): Promise<Context>;
  page(...args: PageArguments): Promise<Context>;
  screen(...args: PageArguments): Promise<Context>;
  identify(...args: WhoArguments): Promise<Context>;
  alias(...args: AliasArguments): Promise<Context>;
  register(...plugins: Plugin[]): Promise<Context>;
  deregister(...names: string[]): Promise<Context>;
  trackLink(...args: LinkArguments): Promise<Analytics>;
  trackClick(...args: LinkArguments): Promise<Analytics>;
  trackForm(...args: FormArguments): Promise<Analytics>;
  trackSubmit(...args: FormArguments): Promise<Analytics>;
  addSourceMiddleware(middleware: MiddlewareFunction): Promise<Analytics>;
  addDestinationMiddleware(integration: string, ...middlewares: DestinationMiddlewareFunction[]): Promise<Analytics>;
  ready(callback?: Function): Promise<unknown>;
  pageview(url: string): Promise<Analytics>;
  /** Is done once everything is acknowledged by the collector. */
  flush(): Promise<DeliveryReport>;
  readonly VERSION: string;
}

/** `window.analytics`, and what `await AnalyticsBrowser.load(…)` gives. */
export interface Analytics extends Calls {
  initialized: boolean;
  readonly settings: { readonly writeKey: string; readonly cdnSettings: CDNSettings; readonly cdnURL?: string; readonly apiHost: string | undefined; timeout: number };
  readonly options: InitOptions;
  readonly integrations: IntegrationsOptions;
  readonly storage: {
    get(key: string): any;
    set(key: string, value: any): void;
    clear(key: string): void;
    getAndSync(key: string): any;
  };
  readonly queue: {
    readonly plugins: Plugin[];
    readonly failedInitializations: string[];
    readonly queue: { readonly length: number; readonly maxAttempts: number };
    isEmpty(): boolean;
    on(event: string, callback: (...args: any[]) => void): this;
    once(event: string, callback: (...args: any[]) => void): this;
    off(event: string, callback: (...args: any[]) => void): this;
    emit(event: string, ...args: any[]): this;
    [more: string]: any;
  };
  readonly failedInitializations: string[];
  user(): User;
  group(): Group;
  group(...args: WhoArguments): Promise<Context>;
  reset(): void;
  setAnonymousId(id?: string): ID;
  /** The visitor's answer: with `consent: "required"` nothing is kept or sent before it is yes. */
  consent(answer: boolean): void;
  /** What was queued, sent, retried, recovered and dropped. */
  delivery(): DeliveryReport;
  on(event: string, callback: (...args: any[]) => void): this;
  once(event: string, callback: (...args: any[]) => void): this;
  off(event: string, callback: (...args: any[]) => void): this;
  emit(event: string, ...args: any[]): this;
  debug(toggle: boolean): Analytics;
  timeout(milliseconds: number): void;
  queryString(query: string): Promise<Context[]>;
  use(factory: (analytics: Analytics) => void): Analytics;
  normalize(event: SegmentEvent): SegmentEvent;
  push(call: any[]): void;
  /** @deprecated */
  readonly Integrations: Record<string, any>;
  /** @deprecated */
  readonly plugins: any;
  /** @deprecated */
  noConflict(): Analytics;
  /** @deprecated */
  initialize(settings?: object, options?: InitOptions): Promise<Analytics>;
  /** @deprecated */
  init(settings?: object, options?: InitOptions): Promise<Analytics>;
}

/** `window.analytics` of a page with the snippet: takes calls before it is `Analytics`. */
export interface AnalyticsSnippet extends Analytics {
  load(writeKey: string, options?: InitOptions): void;
  _loadOptions?: InitOptions;
  _writeKey?: string;
}

/** Analytics of one source for code that is bundled: takes calls at once, and answers them when Python is up. */
export declare class AnalyticsBrowser implements Calls, PromiseLike<[Analytics, Context]> {
  /** The source's analytics, once Python is up. */
  instance?: Analytics;
  ctx?: Context;
  static load(settings: AnalyticsBrowserSettings, options?: InitOptions): AnalyticsBrowser;
  /** A source whose collector is the page's own origin. */
  static standalone(writeKey: string, options?: InitOptions): Promise<Analytics>;
  load(settings: AnalyticsBrowserSettings, options?: InitOptions): AnalyticsBrowser;
  then<T1, T2 = never>(
    fulfilled: ((loaded: [Analytics, Context]) => T1 | PromiseLike<T1>) | null | undefined,
    rejected?: (reason: unknown) => T2 | PromiseLike<T2>,
  ): Promise<T1 | T2>;
  catch<T = never>(rejected?: ((reason: any) => T | PromiseLike<T>) | null): Promise<[Analytics, Context] | T>;
  finally(done?: (() => void) | null): Promise<[Analytics, Context]>;

  track(...args: EventArguments): Promise<Context>;
  page(...args: PageArguments): Promise<Context>;
  screen(...args: PageArguments): Promise<Context>;
  identify(...args: WhoArguments): Promise<Context>;
  group(): Promise<Group>;
  group(...args: WhoArguments): Promise<Context>;
  alias(...args: AliasArguments): Promise<Context>;
  user(): Promise<User>;
  reset(): Promise<void>;
  setAnonymousId(id?: string): Promise<ID>;
  consent(answer: boolean): Promise<void>;
  flush(): Promise<DeliveryReport>;
  delivery(): Promise<DeliveryReport>;
  ready(callback?: Function): Promise<unknown>;
  register(...plugins: Plugin[]): Promise<Context>;
  deregister(...names: string[]): Promise<Context>;
  addSourceMiddleware(middleware: MiddlewareFunction): Promise<Analytics>;
  addDestinationMiddleware(integration: string, ...middlewares: DestinationMiddlewareFunction[]): Promise<Analytics>;
  trackLink(...args: LinkArguments): Promise<Analytics>;
  trackClick(...args: LinkArguments): Promise<Analytics>;
  trackForm(...args: FormArguments): Promise<Analytics>;
  trackSubmit(...args: FormArguments): Promise<Analytics>;
  pageview(url: string): Promise<Analytics>;
  pageView(url: string): Promise<Analytics>;
  on(event: string, callback: (...args: any[]) => void): AnalyticsBrowser;
  once(event: string, callback: (...args: any[]) => void): AnalyticsBrowser;
  off(event: string, callback: (...args: any[]) => void): AnalyticsBrowser;
  debug(toggle: boolean): AnalyticsBrowser;
  readonly VERSION: string;
}

/** `window.analytics`, or the global of the name that the source loaded last was given; undefined before there is one. */
export declare function getGlobalAnalytics(): AnalyticsSnippet | undefined;
/** Whether a plugin is a destination that takes middleware of its own. */
export declare function isDestinationPluginWithAddMiddleware(
  plugin: Plugin,
): plugin is Plugin & { type: "destination"; addMiddleware(...functions: DestinationMiddlewareFunction[]): void };

/* The calls' many forms of arguments, read into one: for code that stands between an app and these calls. */
/** Throws an error where there is no event name. */
export declare function resolveArguments(...args: EventArguments): [event: string, properties: EventProperties | Callback, options: Options, callback: Callback | undefined];
export declare function resolvePageArguments(
  ...args: PageArguments
): [category: string | null, name: string | null, properties: EventProperties, options: Options, callback: Callback | undefined];
/** The id of `user` stands in for one that is missing. */
export declare function resolveUserArguments<T extends Traits, U extends WithId>(
  user: U,
): (id?: ID | object, traits?: T | Callback | null, options?: Options | Callback, callback?: Callback) => [id: ID, traits: T, options: Options, callback: Callback | undefined];
export declare function resolveAliasArguments(...args: AliasArguments): [to: string, from: string | null, options: Options, callback: Callback | undefined];
