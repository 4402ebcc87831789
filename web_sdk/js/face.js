/* What a page's JavaScript holds once Python is up: window.analytics and what it hands out. Every method but those of
   auto_track.js is answered by Python; JavaScript is here only where a page must be given an object of its own language. */

const LATER = ["register", "deregister", "addSourceMiddleware", "addDestinationMiddleware", "ready", "pageview", "flush",
  "queryString"];
const AT_ONCE = ["reset", "setAnonymousId", "on", "once", "off", "emit", "debug", "timeout", "delivery", "consent", "normalize"];
const CHAINED = ["on", "once", "off", "emit", "debug"];
const SELF = ["addSourceMiddleware", "addDestinationMiddleware", "pageview"];
const IDENTITY = ["id", "anonymousId", "traits", "identify", "logout", "reset", "save"];
const STORAGE = ["get", "set", "clear", "getAndSync"];
const CLASSIC = ["log", "addIntegrationMiddleware", "listeners", "addEventListener", "removeAllListeners", "removeListener",
  "removeEventListener", "hasListeners", "add", "addIntegration"];
const DEPRECATED = "[satsuma] Deprecated: it does nothing.";

/*CONTEXT*/

/* What a middleware is given of an event: the event itself as `obj`, and the readers that are asked for most. */
class Payload {
  constructor(event) {
    this.obj = event;
  }
  field(name) {
    return this.obj[name];
  }
  proxy(path) {
    return path.split(".").reduce((value, name) => (value == null ? undefined : value[name]), this.obj);
  }
  rawEvent() {
    return this.obj;
  }
  json() {
    return JSON.parse(JSON.stringify(this.obj));
  }
  action() {
    return this.obj.type;
  }
  event() {
    return this.obj.type === "page" ? "Loaded a Page" : this.obj.event;
  }
  /* A group's traits are its properties, too. */
  properties() {
    const { type, traits, properties, category, name } = this.obj;
    return { ...(type === "group" ? traits : properties), ...(type === "page" && { ...(category && { category }), ...(name && { name }) }) };
  }
  traits() {
    const { type, traits, context, groupId, userId } = this.obj;
    const id = type === "group" ? groupId : userId;
    return { ...(["identify", "group"].includes(type) ? traits : (context || {}).traits), ...(id && { id }) };
  }
  options() {
    return this.obj.options || this.obj.context || {};
  }
  enabled(integration) {
    const { All: all = true, [integration]: own = all } = this.obj.integrations || {};
    return Boolean(own);
  }
}
for (const name of ["type", "userId", "anonymousId", "groupId", "previousId", "context",
  "integrations", "timestamp", "name", "category"])
  Payload.prototype[name] = function () {
    return this.obj[name];
  };

/* Events come as JSON; a date that plugins may reckon with is a Date. The classic library's destinations want all of them so. */
const DATE = /^\d{4}-\d\d-\d\d([ T]\d\d:?\d\d(:?\d\d([.,]\d+)?)?(Z|[+-]\d\d(:?\d\d)?)?)?$/;
function revived(json, dates) {
  const event = JSON.parse(json, dates && ((name, one) => (DATE.test(one) && +new Date(one) ? new Date(one) : one)));
  const timestamp = new Date(event.timestamp);
  if (event.timestamp && !isNaN(timestamp)) event.timestamp = timestamp;
  return event;
}

/* What happened to an event since it was shown last. Errors come beside it: they are no JSON. */
function addNotes(context, { lines = [], counts = [] }, errors = []) {
  lines.forEach(([level, message, extras, at, text], index) => {
    const error = text === null ? undefined : errors[index] ?? failureOf(text);
    context.logger.logs.push({ level, message, time: new Date(at), extras: error && extras ? { ...extras, error } : extras ?? error });
  });
  counts.forEach(([metric, tags, time]) => (time === null ? context.stats.increment(metric, 1, tags) : context.stats.gauge(metric, time, tags)));
}

/* A script of the settings' own, once, until it is taken out. Like analytics.js's it comes first, and says how far it is. */
const scripts = {};
function loadOnce(src) {
  if (!scripts[src]) {
    const element = document.createElement("script"), { head } = document;
    const status = (value) => element.setAttribute("status", value);
    scripts[src] = new Promise((resolve, reject) =>
      Object.assign(element, { type: "text/javascript", src, async: true, onload: () => resolve(status("loaded")),
        onerror: () => reject(new Error("Failed to load " + src)) }));
    scripts[src].element = element;
    status("loading");
    head.insertBefore(element, head.firstChild);
  }
  return scripts[src];
}
function unload(src) {
  scripts[src]?.element.remove();
  delete scripts[src];
}

/* The error of a try that has failed; the collector's answers have names of their own. */
function failureOf(text) {
  const name = { "Non-": "NonRetryableError", "Rate": "RateLimitError" }[text.slice(0, 4)];
  return Object.assign(new Error(text), name && { name });
}

/* Arguments that Python and a worker can take. */
function readableAll(what, args, all) {
  return args.map((value, index) => readable(`${what}, argument ${index + 1}`, value, all));
}

/* What Python makes JavaScript's objects with. */
const native = {
  attempt,
  json: (value, what = "A value of the page") => texts.get(value) ?? told(what, value),
  context(known, messageId, event, outcome, errors, reason) {
    const context = known || new Context({});
    const { same, cancelled, delivered, attempts, stops, why } = outcome;
    if (!same) context.event = revived(event);
    Object.assign(context, { cancelled, delivered, attempts, messageId });
    addNotes(context, outcome, errors);
    if (delivered === false || cancelled)
      context.setFailedDelivery({ reason: reason ?? (stops ? new ContextCancelation({ retry: false, type: stops, reason: why }) : failureOf(why)) });
    return context;
  },
  payload: (event, dates) => new Payload(revived(event, dates)),
  load: loadOnce,
  unload,
  left: (name) => globalOf(name),
  failure: failureOf,
  /* Plugins of the settings: a factory's, that the app has brought along or a script leaves in the page. */
  async plugins({ name, libraryName, settings }, { integrations }, own, factory = globalOf(libraryName)) {
    if (typeof factory !== "function") return [];
    const made = [await factory({ ...settings, ...(integrations[name] && { ...integrations[name], ...Object(own && own[name]) }) })].flat();
    for (const plugin of made)
      for (const needed of ["load", "isLoaded", "name", "version", "type"])
        if (plugin[needed] === undefined) throw new Error("Plugin: " + (plugin.name ?? "unknown") + " missing required function " + needed);
    return made;
  },
  async middleware(url, name) {
    await loadOnce(url);
    return globalOf(name);
  },
};

/* `ask` has Python's ways in: event, later, now, user, group, storage, queue. */
function makeFace(ask, about) {
  const face = { initialized: false, ...about };
  const deprecated = (answer) => () => (console.warn(DEPRECATED), answer);
  // A page that does not wait for an answer has no rejection to handle either.
  const answered = (begin) => {
    const answer = new Promise(begin);
    answer.catch(() => {});
    return answer;
  };
  for (const name of EVENTS)
    face[name] = (...args) => answered((resolve, reject) => {
      const made = isNote(args[args.length - 1]) ? args.pop() : note();
      const values = readableAll("analytics." + name, args);
      quietly(() => texts.set(made, JSON.stringify(made))); // Our own: it need not be bounded.
      ask.event(name, values, made, resolve, (reason) => reject(new Error(reason)));
    });
  for (const name of LATER)
    face[name] = (...args) => answered((resolve, reject) =>
      ask.later(name, args, SELF.includes(name) ? () => resolve(face) : resolve, (reason) => reject(typeof reason === "string" ? new TypeError(reason) : reason)));
  for (const name of AT_ONCE)
    face[name] = (...args) => {
      const answer = ask.now(name, args);
      return CHAINED.includes(name) ? face : answer;
    };
  for (const name of CLASSIC) face[name] = deprecated();
  face.init = face.initialize = deprecated(Promise.resolve(face));
  Object.assign(face, makeAutoTrack(face));
  const { options } = about;
  const kept = { persist: !options.disableClientPersistence, storage: options.storage };
  const known = (cookie, traits, more) => ({ ...kept, cookie, localStorage: { key: traits }, ...more });
  const oldUser = { key: "ajs_user_id", oldKey: "ajs_user" };
  const asks = (name, all) => (method, args) => ask[name](method, readableAll(`analytics.${name}.${method}`, args, all));
  const user = makeProxy(asks("user"), [...IDENTITY, "load"], { options: known(oldUser, "ajs_user_traits", options.user) });
  const group = makeProxy(asks("group"), IDENTITY, { options: known({ key: "ajs_group_id" }, "ajs_group_properties", options.group), load: () => group });
  const callGroup = face.group;
  const load = user.load;
  user.load = () => (load(), user);
  face.user = () => user;
  face.group = (...args) => (args.length ? callGroup(...args) : group);
  face.storage = makeProxy(asks("storage", true), STORAGE, {});
  face.integrations = options.integrations || {};
  face.options = options.disable === true ? { disableClientPersistence: true } : { ...options };
  const dispatch = (context) => answered((resolve, reject) => ask.later("dispatch", [context], resolve, reject));
  let critical;
  face.queue = makeProxy((name, args) => (ask.queue(name, args), face.queue), ["on", "once", "off", "emit"], {
    queue: { maxAttempts: options.retryQueue === false ? 1 : 10, getAttempts: (context) => context.attempts - 1, get length() { return ask.queue("length", []); } },
    isEmpty: () => !face.queue.queue.length,
    dispatch,
    dispatchSingle: dispatch,
    flush: async () => [], // What waits here goes by itself, as soon as it may.
    criticalTasks: {
      run(task) {
        const work = task();
        if (work?.then) {
          critical = Promise.allSettled([critical, work]);
          ask.now("hold", [() => critical]);
        }
        return work;
      },
      done: async () => void (await critical),
    },
    register: (_, plugin) => face.register(plugin).then(() => {}),
    deregister: (_, plugin) => face.deregister(plugin.name).then(() => {}),
  });
  let most = 10;
  const asked = (name) => ({ get: () => ask.queue(name, []), enumerable: true, configurable: true });
  Object.defineProperties(face.queue, { plugins: asked("plugins"), failedInitializations: asked("failedInitializations") });
  Object.defineProperties(face, {
    maxListeners: { get: () => most, set: (value) => ask.now("maxListeners", [(most = value)]), enumerable: true },
    failedInitializations: { ...asked("failedInitializations"), enumerable: false },
    plugins: { get: deprecated({}), configurable: true },
    Integrations: { get: () => integrationsOf(face.queue.plugins), configurable: true },
  });
  face.use = (factory) => (factory(face), face);
  face.noConflict = deprecated(face);
  face.push = (call) => {
    const [name, ...args] = Array.from(call);
    if (typeof face[name] === "function") face[name](...args);
  };
  const inspector = "__SEGMENT_INSPECTOR__"; // The library's own extension of the browser.
  attempt(globalOf(inspector) ?? (window[inspector] = {}), "attach", face);
  return face;
}

/* The classic library's destinations that lie in the page, by the name of their plugin. */
function integrationsOf(plugins) {
  const found = {};
  for (const { name, type } of Array.from(plugins)) {
    const one = globalOf(name.toLowerCase().replace(".", "").split(" ").join("-") + "Integration");
    if (type === "destination" && one) found[name] = one.Integration || one;
  }
  return found;
}

function makeProxy(call, names, more) {
  for (const name of names) more[name] = (...args) => call(name, args);
  return more;
}
