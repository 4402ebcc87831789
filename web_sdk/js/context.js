/* One event on its way, as plugins, callbacks and promises see it. npm's package has the same text. */
class ContextCancelation {
  constructor({ retry = true, type = "plugin Error", reason = "" } = {}) {
    Object.assign(this, { retry, type, reason });
  }
}

class Stats {
  metrics = [];
  increment(metric, value = 1, tags = []) {
    this.metrics.push({ metric, value, tags, type: "counter", timestamp: Date.now() });
  }
  gauge(metric, value, tags = []) {
    this.metrics.push({ metric, value, tags, type: "gauge", timestamp: Date.now() });
  }
  flush() {
    console.table(this.metrics.splice(0).map((one) => ({ ...one, tags: one.tags.join(",") })));
  }
  serialize() {
    return this.metrics.map(({ metric: m, value: v, tags: t, type, timestamp: e }) => ({ m, v, t, k: type[0], e }));
  }
}

class Logger {
  logs = [];
  log(level, message, extras) {
    this.logs.push({ level, message, time: new Date(), extras });
  }
  flush() {
    const lines = this.logs.splice(0);
    if (lines[1]) console.table(lines);
    else for (const { level, message, extras = "" } of lines) console[/^[we]/.test(level) ? level : "log"](message, extras);
  }
}

class Context {
  attempts = 0;
  constructor(event, id = newId(), stats = new Stats(), logger = new Logger()) {
    Object.assign(this, { event, id, stats, logger });
  }
  static system() {
    return new this({ type: "track", event: "system" });
  }
  log(level, message, extras) {
    this.logger.log(level, message, extras);
  }
  logs() {
    return this.logger.logs;
  }
  cancel(error = new ContextCancelation({ reason: "Context Cancel" })) {
    throw error;
  }
  updateEvent(path, value) {
    const { event } = this;
    const [first, second] = path.split(".");
    if ((first === "integrations" && event.integrations?.[second] === false) || /(^|\.)(__proto__|constructor|prototype)(\.|$)/.test(path)) return event;
    path.split(".").reduce((holder, name, at, names) => {
      const next = names[at + 1];
      const own = Object.prototype.hasOwnProperty.call(holder, name) && holder[name]; // What all objects have is nobody's to change.
      return (holder[name] = next === undefined ? value : Object(own) === own ? own : isNaN(next) ? {} : []);
    }, event);
    return event;
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
    this.logger.flush();
    this.stats.flush();
  }
  toJSON() {
    return { id: this.id, event: this.event, logs: this.logger.logs, metrics: this.stats.metrics };
  }
}
