/* What a page's JavaScript holds once Python is up: window.analytics and what it hands out. Every method is answered by
   Python; JavaScript is here only where a page must be given an object of its own language. */

const EVENTS = ["track", "identify", "page", "screen", "group", "alias"];
const LATER = ["register", "deregister", "addSourceMiddleware", "addDestinationMiddleware", "ready", "trackLink", "trackClick",
  "trackForm", "trackSubmit", "pageview", "flush"];
const AT_ONCE = ["reset", "setAnonymousId", "on", "once", "off", "debug", "timeout", "delivery", "consent",
  "addIntegrationMiddleware"];
const CHAINED = ["on", "once", "off", "debug"];
const SELF = ["addSourceMiddleware", "addDestinationMiddleware", "trackLink", "trackClick", "trackForm", "trackSubmit", "pageview"];
const IDENTITY = ["id", "anonymousId", "traits", "identify", "logout", "reset", "save"];
const STORAGE = ["get", "set", "clear", "getAndSync"];

/* One event on its way, as plugins, callbacks and promises see it. */
class Context {
  constructor(id, event) {
    this.id = id;
    this.event = event;
    this.attempts = 1;
    this.messages = [];
    this.stats = { increment() {}, gauge() {}, flush() {} };
  }
  static system() {
    return new Context("system", { type: "track", event: "system" });
  }
  log(level, message, extras) {
    this.messages.push({ level, message, time: new Date(), extras });
  }
  logs() {
    return this.messages;
  }
  cancel(error) {
    this.stopped = error || { type: "plugin Error", reason: "Context Cancel", retry: false };
    throw this.stopped;
  }
  updateEvent(path, value) {
    const names = path.split(".");
    if (names[0] === "integrations" && (this.event.integrations || {})[names[1]] === false) return this.event;
    if (names.some((name) => ["__proto__", "constructor", "prototype"].includes(name))) return this.event;
    const last = names.pop();
    let holder = this.event;
    for (const name of names) holder = holder[name] = Object(holder[name]) === holder[name] ? holder[name] : {};
    holder[last] = value;
    return this.event;
  }
  failedDelivery() {
    return this.failure;
  }
  setFailedDelivery(failure) {
    this.failure = failure;
  }
  isSame(other) {
    return other.id === this.id;
  }
  flush() {
    this.messages.splice(0).forEach((line) => console.log(line.message, line.extras || ""));
  }
  toJSON() {
    return { id: this.id, event: this.event, logs: this.messages, metrics: [] };
  }
}

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
  enabled(integration) {
    const { All: all = true, [integration]: own = all } = this.obj.integrations || {};
    return Boolean(own);
  }
}
for (const name of ["type", "event", "userId", "anonymousId", "groupId", "previousId", "properties", "traits", "context",
  "integrations", "timestamp", "name", "category"])
  Payload.prototype[name] = function () {
    return this.obj[name];
  };

/* Events come as JSON; a date that plugins may reckon with is a Date. */
function revived(json) {
  const event = JSON.parse(json);
  const timestamp = new Date(event.timestamp);
  if (event.timestamp && !isNaN(timestamp)) event.timestamp = timestamp;
  return event;
}

/* What Python makes JavaScript's objects with. */
const native = {
  context(known, id, event, outcome) {
    const context = known || new Context(id, {});
    context.id = id;
    context.event = revived(event);
    Object.assign(context, outcome);
    if (context.delivered === false || context.cancelled) context.setFailedDelivery({ reason: context.cancelled || "dropped" });
    return context;
  },
  systemContext: () => Context.system(),
  payload: (event) => new Payload(revived(event)),
};

/* `ask` has Python's ways in: event, later, now, user, group, storage. */
function makeFace(ask, about) {
  const face = { initialized: false, ...about };
  for (const name of EVENTS)
    face[name] = (...args) => new Promise((resolve) => ask.event(name, args, isNote(args[args.length - 1]) ? args.pop() : note(), resolve));
  for (const name of LATER)
    face[name] = (...args) => {
      const answer = new Promise((resolve) => ask.later(name, args, resolve));
      return SELF.includes(name) ? answer.then(() => face) : answer;
    };
  for (const name of AT_ONCE)
    face[name] = (...args) => {
      const answer = ask.now(name, args);
      return CHAINED.includes(name) ? face : answer;
    };
  const user = makeProxy(ask.user, IDENTITY, { load: () => user });
  const group = makeProxy(ask.group, IDENTITY, { load: () => group });
  const callGroup = face.group;
  face.user = () => user;
  face.group = (...args) => (args.length ? callGroup(...args) : group);
  face.storage = makeProxy(ask.storage, STORAGE, {});
  face.use = (factory) => (factory(face), face);
  face.noConflict = () => face;
  face.push = (call) => {
    const [name, ...args] = Array.from(call);
    if (typeof face[name] === "function") face[name](...args);
  };
  return face;
}

function makeProxy(call, names, more) {
  for (const name of names) more[name] = (...args) => call(name, args);
  return more;
}
