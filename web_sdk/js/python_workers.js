/* For a page that runs Python in workers of its own (PyScript, JupyterLite, marimo, stlite): a worker that says so gets a port
   to the analytics of the page that has made it, and of no other page. Stands behind the snippet in the page. */
!(function (page) {
  "use strict";
  const { JSON, Promise, Worker, WeakSet, Proxy, Reflect, Object, setTimeout } = page;
  const EVENTS = ["track", "identify", "page", "screen", "group", "alias"];
  const AT_ONCE = ["reset", "setAnonymousId", "consent"]; // What the snippet keeps before Python is up.
  const PATIENCE = 15000;
  const mark = Symbol.for("satsuma python workers");
  const watched = new WeakSet();
  if (!Worker || page[mark]) return;
  page[mark] = true;

  function watch(worker) {
    if (watched.has(worker)) return;
    watched.add(worker);
    worker.addEventListener("message", (event) => {
      const name = Object(event.data).satsuma;
      const port = event.ports[0];
      if (typeof name !== "string" || !port) return;
      event.stopImmediatePropagation(); // The app's own listeners know no such message.
      const writeKey = Object(page[name])._writeKey;
      if (!writeKey) return; // The worker asks again: the snippet may come later.
      port.onmessage = ({ data }) => answer(port, name, JSON.parse(data));
      port.postMessage(JSON.stringify({ writeKey }));
    });
  }

  async function answer(port, name, { id, path, args }) {
    let told;
    try {
      told = { value: shown(await ask(name, path, args.map((value) => value ?? undefined))) };
    } catch (error) {
      told = { error: String(Object(error).message || error) };
    }
    port.postMessage(JSON.stringify({ id, ...told }));
  }

  /* Of a context only what Python reads of it can be posted. */
  function shown(value) {
    if (!value || typeof value.isSame !== "function") return value;
    const { event, cancelled, delivered, attempts } = value;
    return { event, cancelled, delivered, attempts };
  }

  async function ask(name, [method, below], args) {
    const stub = page[name];
    if (stub.initialized) return call(stub, method, below, args);
    // The snippet keeps it, and hands it over where Python never comes up.
    if (!below && EVENTS.includes(method)) return soon((done) => stub[method](...args, done), null);
    if (!below && AT_ONCE.includes(method)) return void stub[method](...args);
    await soon((done) => stub.ready(done), new Error("the page's analytics has not started"));
    return call(page[name], method, below, args);
  }

  function call(source, method, below, args) {
    return below ? source[method]()[below](...args) : source[method](...args);
  }

  function soon(begin, otherwise) {
    return new Promise((resolve, reject) => {
      setTimeout(() => (otherwise ? reject(otherwise) : resolve(otherwise)), PATIENCE);
      begin(resolve);
    });
  }

  page.Worker = new Proxy(Worker, {
    construct(target, args, made) {
      const worker = Reflect.construct(target, args, made);
      watch(worker);
      return worker;
    },
  });
  // Those that were there before this script are known as soon as the page tells them anything.
  const { postMessage } = Worker.prototype;
  Worker.prototype.postMessage = function (...args) {
    watch(this);
    return postMessage.apply(this, args);
  };
})(window);
