/* Runs Python in a service worker of the site's, for all of its pages. Stands behind desk.js and files.js. Python starts with
   the first page that asks for it, and lives as long as the browser lets the service worker live. */
const PROTOCOL = 1;
const MOST_LEFT = 20; // Pages that are gone and of which events are still under way.
const MOST_DESKS = 100;
const MOST_CHARACTERS = 20000000; // Of what all pages have told.
const LOOK_MILLISECONDS = 250;
const LONGEST_MILLISECONDS = 25000;

self.satsumaService = function ({ folder, image, integrity, version }) {
  const desks = new Map(); // By the ids that the pages have chosen.
  const writes = makeWrites();
  let python, booting;

  function boot() {
    const glue = async () => startPython;
    booting ??= bootImage({ folder, image, integrity, glue, breathe: async () => {} }).then((made) => (python = made));
    booting.catch(() => (booting = null));
    return booting;
  }

  /* Python tells no page that is gone of anything; what it sends goes from here. */
  function sendBeacon(url, body) {
    fetch(url, { method: "POST", body, keepalive: true }).catch(() => {});
    return true;
  }

  async function open(id, { protocol }, source, port) {
    if (protocol !== PROTOCOL) return port.postMessage({ failed: "the site's service worker is of another version" });
    const desk = makeDesk(() => python, (message) => port.postMessage(message), writes, sendBeacon);
    desks.set(id, Object.assign(desk, { client: source?.id }));
    port.postMessage({ here: version });
    await sweep();
    try {
      await boot();
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
  }

  function tidy() {
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
    while (desk.busy() && performance.now() < end) await new Promise((go) => setTimeout(go, LOOK_MILLISECONDS));
    tidy();
  }

  async function hear({ data, source, ports }) {
    const { satsuma: id, way, given } = data;
    if (way === "boot") return open(id, given, source, ports[0]);
    const desk = desks.get(id);
    if (!desk) return source?.postMessage({ satsumaLost: id });
    if (way === "gone") leave(desk);
    else if (way !== "ping") desk.take(data);
    if (desks.delete(id)) desks.set(id, desk);
    return quiet(desk);
  }

  self.addEventListener("install", () => boot().catch(() => {}));
  self.addEventListener("message", (event) => {
    if (!event.data || !event.data.satsuma) return;
    event.stopImmediatePropagation();
    event.waitUntil(hear(event));
  });
};
