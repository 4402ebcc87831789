/* Runs Python in a service worker of the site's, for all of its pages. Stands behind desk.js, files.js, unsent.js and
   sending.js. Python starts with the first page that asks for it, and lives as long as the browser lets the service worker live. */
const PROTOCOL = 1;
const MOST_LEFT = 20; // Pages that are gone and of which events are still under way.
const MOST_DESKS = 100;
const MOST_CHARACTERS = 20000000; // Of what all pages have told.
const MOST_INHERITED = 400000; // Characters; a page keeps little more.
const LOOK_MILLISECONDS = 250;
const LOAD_MILLISECONDS = 1000; // For what is kept; a browser's storage may hang.
const LONGEST_MILLISECONDS = 25000;

self.satsumaService = function ({ folder, image, integrity, version }) {
  const desks = new Map(); // By the ids that the pages have chosen.
  const writes = makeWrites();
  const seen = new Map(); // The pages of whose calls Python makes events, by the keys of what they have left.
  const behind = new Map(); // The pages whose earlier events come first, by the keys of what they have called after all.
  const unsent = makeUnsent();
  const sending = makeSending(unsent, sees, sweep);
  let python, booting;
  let resumed = false;

  function boot() {
    const glue = async () => startPython;
    // A service worker can't wait for a file in the middle of Python's work, so it has the whole module at once.
    booting ??= bootImage({ folder, image, integrity, glue, breathe: async () => {}, whole: true }).then((made) => (python = made));
    booting.catch(() => (booting = null));
    return booting;
  }

  /* Python tells no page that is gone of anything; what it sends goes from here. */
  function sendBeacon(url, body) {
    fetch(url, { method: "POST", body, keepalive: true }).catch(() => {});
    return true;
  }

  /* What pages have not had answered, Python keeps in their localStorage; here it outlives their visitors' last visit. */
  function journaled(key, text, source) {
    if (text === null) return unsent.remove(key);
    unsent.put(key, { ...source, text });
    sending.expect();
  }

  /* A page starts. What pages of its source that are gone have not delivered is its own from now on, the oldest first: where
     there is one queue, nothing overtakes anything. A page that the browser shows again finds its own events this way. */
  function bequeath(heir, writeKey) {
    let room = MOST_INHERITED;
    for (const [key, { calls, text, writeKey: its }] of [...unsent.entries]) {
      const owner = ownerOf(key);
      if (calls || its !== writeKey || (owner && !owner.gone)) continue;
      room -= text.length;
      const taken = room < 0 ? null : heir.world.inherit(key, text, Boolean(owner));
      if (!taken) return;
      if (taken !== key) unsent.remove(key);
      owner?.surrender(key);
      if (owner) owner.heir = heir;
    }
  }
  function ownerOf(key) {
    return [...desks.values()].find(({ journals }) => journals.has(key));
  }

  /* Whether a page's Python sees to an entry. When it is done with the calls of a page that was left, or another page has them
     behind earlier ones, they are not sent from here: they would overtake those. */
  function sees(key) {
    lookAtLeft();
    const desk = seen.get(key) || ownerOf(key);
    return !unsent.entries.has(key) || behind.has(key) || Boolean(desk && (!desk.gone || desk.busy()));
  }

  /* Whether events of a page wait, here or where another page has them. */
  function isOpen(desk) {
    const known = [...desks.values()].includes(desk);
    return Boolean(desk) && ((known && desk.busy()) || isOpen(desk.heir));
  }

  /* Calls of pages that were left are open for as long as Python works on them; those of a page that was let go are nobody's. */
  function lookAtLeft() {
    const known = new Set(desks.values());
    for (const [key, desk] of seen) {
      const open = desk.busy();
      if (!open) unsent.remove(key);
      if (!open || !known.has(desk)) seen.delete(key);
    }
    for (const [key, desk] of behind) if (!unsent.entries.has(key) || !isOpen(desk)) behind.delete(key);
  }

  /* A page has to go, and its calls have no answer: the collector makes events of them. Where Python is alive and knows the
     page, it has them already, and they only have to be sent where it is stopped before it is done with them. What was called
     when the page had gone already comes after its earlier events. */
  async function takeOver({ key, page, after, url, body, writeKey, now }) {
    const ahead = Math.abs(now - Date.now()) > LATE ? now - Date.now() : 0;
    unsent.put(key, { calls: true, writeKey, url, text: body, ahead });
    sending.expect();
    const desk = desks.get(page), before = desks.get(after);
    if (desk) seen.set(key, desk);
    else if (before) behind.set(key, before);
    await quiet(desk || before);
    if (!desk) return sending.run();
  }

  /* At the first message of this service worker's life. */
  function resume() {
    if (resumed) return;
    resumed = true;
    return sending.run();
  }

  async function open(id, { protocol }, source, port) {
    if (protocol !== PROTOCOL) return port.postMessage({ failed: "the site's service worker is of another version" });
    const others = { meets: true, journaled, starts: (writeKey) => bequeath(desk, writeKey) };
    const desk = makeDesk(() => python, (message) => port.postMessage(message), writes, sendBeacon, others);
    desks.set(id, Object.assign(desk, { client: source?.id }));
    port.postMessage({ here: version });
    await sweep();
    try {
      await Promise.all([boot(), Promise.race([unsent.loaded, new Promise((go) => setTimeout(go, LOAD_MILLISECONDS))])]);
      desk.post({ ready: true });
      fit();
    } catch (error) {
      desks.delete(id);
      desk.post({ failed: String(error) });
    }
  }

  /* Pages that have ended without saying so. */
  async function sweep() {
    for (const desk of [...desks.values()]) if (desk.client && !(await self.clients.get(desk.client))) leave(desk);
    tellOfNetwork();
    tidy();
  }

  /* Of more pages than find room, those that have been silent for longest are let go: each is told so when it asks again, and
     begins anew. The map's order is that in which they were heard. */
  function fit() {
    let characters = [...desks.values()].reduce((sum, desk) => sum + desk.world.size(), 0);
    for (const [id, desk] of [...desks].slice(0, -1)) {
      if (desks.size <= MOST_DESKS && characters <= MOST_CHARACTERS) return;
      characters -= desk.world.size();
      desks.delete(id);
      desk.close();
    }
  }

  function leave(desk) {
    desk.gone = true;
    desk.world.leave();
    tellOfNetwork();
  }

  /* A page that is gone hears no more whether the network is there. */
  function tellOfNetwork(isThere = navigator.onLine !== false) {
    for (const desk of desks.values()) {
      if (!desk.gone || desk.network === isThere) continue;
      desk.network = isThere;
      desk.take({ way: "happened", given: [isThere ? "online" : "offline", {}] });
    }
  }

  /* After the visitor's no, nothing is sent of what earlier pages have left. */
  function refuse(writeKey) {
    for (const desk of desks.values()) if (desk.gone && desk.source.writeKey === writeKey) desk.withdraw();
    unsent.clear(writeKey);
  }

  function tidy() {
    lookAtLeft();
    const left = [...desks].filter(([, desk]) => desk.gone);
    const over = left.length - MOST_LEFT;
    left.forEach(([id, desk], index) => {
      if (desk.busy() && index >= over) return;
      desks.delete(id);
      desk.close();
    });
  }

  /* The browser lets a service worker live while a message is being worked on. */
  async function quiet(desk) {
    const end = performance.now() + LONGEST_MILLISECONDS;
    while (isOpen(desk) && performance.now() < end) await new Promise((go) => setTimeout(go, LOOK_MILLISECONDS));
    tidy();
  }

  async function hear({ data, source, ports }) {
    const { satsuma: id, way, given } = data;
    if (way === "left") return takeOver(given);
    if (way === "boot") return open(id, given, source, ports[0]);
    const desk = desks.get(id);
    if (!desk) return source?.postMessage({ satsumaLost: id });
    if (way === "gone") {
      leave(desk);
      sending.run();
    } else if (way !== "ping") desk.take(data);
    if (desks.delete(id)) desks.set(id, desk);
    if (way === "answered" && given[1] === "consent" && given[2].length && !given[2][0]) refuse(desk.source.writeKey);
    return quiet(desk);
  }

  self.addEventListener("sync", (event) => {
    if (event.tag !== SYNC) return;
    event.stopImmediatePropagation();
    tellOfNetwork(true);
    event.waitUntil(sending.synchronise(event.lastChance));
  });
  for (const name of ["online", "offline"]) self.addEventListener(name, () => (tellOfNetwork(), resumed && sending.run()));
  self.addEventListener("install", () => boot().catch(() => {}));
  self.addEventListener("message", (event) => {
    if (!event.data || !event.data.satsuma) return;
    event.stopImmediatePropagation();
    event.waitUntil(Promise.all([hear(event), resume()]));
  });
};
