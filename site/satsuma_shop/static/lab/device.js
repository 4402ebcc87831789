/* A device of the lab: a frame with pages of an origin of its own, which does as it is told and says when it is up. */

const UP_SECONDS = 40;
const ANSWER_SECONDS = 30;

export class Device {
  constructor(name, frame, origin) {
    Object.assign(this, { name, frame, origin, seen: null, url: "" });
    this.waiting = new Map();
    this.listeners = [];
    window.addEventListener("message", (event) => this.hear(event));
  }

  hear({ origin, source, data }) {
    if (origin !== this.origin || source !== this.frame.contentWindow || !data || !data.satsuma) return;
    if (data.up) {
      this.url = data.url;
      for (const listener of this.listeners.splice(0)) listener();
      return;
    }
    const answer = this.waiting.get(data.done);
    this.waiting.delete(data.done);
    if (answer) data.error ? answer.reject(new Error(data.error)) : answer.resolve(data.value);
  }

  /* The next page that is up. */
  up() {
    return within(UP_SECONDS, `${this.name}: no page came up`, (resolve) => this.listeners.push(resolve));
  }

  ask(verb, ...args) {
    const id = crypto.randomUUID();
    return within(ANSWER_SECONDS, `${this.name}: no answer to ${verb}`, (resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.frame.contentWindow.postMessage({ satsuma: true, id, verb, args }, this.origin);
    });
  }

  async look() {
    return this.ask("look");
  }

  async open(path) {
    const up = this.up();
    this.frame.src = `${this.origin}${path}`;
    await up;
  }

  /* Does one thing; what leads to another page is done when that page is up. */
  async act([verb, ...args]) {
    if (verb === "open") return this.open(args[0]);
    if (verb === "close") return this.open("/qa/blank");
    const leads = (verb === "fill" && args[0] !== "app-login") || (verb === "click" && !String(args[0]).includes("data-screen"));
    const up = leads ? this.up() : null;
    const answer = await this.ask(verb, ...args);
    if (up) await up;
    return answer;
  }

  /* As new: no cookies, no localStorage, nothing open. */
  async wipe() {
    await this.open("/qa/blank");
    await this.ask("clear", "both");
  }
}

function within(seconds, told, start) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(told)), seconds * 1000);
    start((value) => (clearTimeout(timer), resolve(value)), (error) => (clearTimeout(timer), reject(error)));
  });
}
