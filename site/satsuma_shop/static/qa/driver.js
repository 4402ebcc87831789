/* In a frame of the lab: tells it when a page is up, and does what it says, with this page's real forms, cookies and
   localStorage. Only the lab's own origin is listened to. */
import { pause } from "./dom.js";
import * as stores from "./stores.js";

const DOING = {
  look: () => stores.look(),
  open: (path) => void location.assign(path),
  async fill(id, fields) {
    const form = document.getElementById(id);
    if (!form) throw new Error(`this page has no form #${id}`);
    for (const [name, text] of Object.entries(fields)) {
      const input = form.elements[name];
      input.value = text;
      input.dispatchEvent(new Event("input", { bubbles: true }));
      input.classList?.add("qa-typed");
      input.scrollIntoView?.({ block: "center" });
      await pause(90);
    }
    form.requestSubmit();
  },
  click(selector) {
    const element = document.querySelector(selector);
    if (!element) throw new Error(`this page has no ${selector}`);
    element.scrollIntoView({ block: "center" });
    element.click();
  },
  call: (method, ...args) => void analytics[method](...args.map((arg) => (arg === "{anonymousId}" ? stores.held().anonymousId : arg))),
  "call on": (name, method, ...args) => void window[name][method](...args),
  /* What a visitor sees, and what the browser's own tools would show of the cookies. */
  shows: async () => document.body.innerText + stores.counted(),
  double: () => stores.double(),
  expire: () => stores.expire(),
  age: (days) => stores.age(days),
  safari: (days) => stores.safari(days),
  cookie: (name, value) => stores.setCookie(name, value),
  async clear(what) {
    if (what !== "storage") await stores.clearCookies();
    if (what !== "cookies") { stores.clearStorage(); sessionStorage.clear(); }
  },
};

export function drive(lab) {
  const tell = (message) => window.parent.postMessage({ satsuma: true, ...message }, lab);
  window.addEventListener("message", async ({ origin, source, data }) => {
    if (origin !== lab || source !== window.parent || !data || !data.satsuma || !Object.hasOwn(DOING, data.verb)) return;
    try {
      tell({ done: data.id, value: (await DOING[data.verb](...data.args)) ?? null });
    } catch (error) {
      tell({ done: data.id, error: String(error.message || error) });
    }
  });
  const blank = document.documentElement.hasAttribute("data-blank");
  (blank ? Promise.resolve() : stores.bootedPage()).then(() => tell({ up: true, url: location.href, title: document.title }));
}
