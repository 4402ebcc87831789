/* The page's way to the service worker in which Python lives on. What the page posts wakes it where the browser has put it to
   rest; it has then forgotten the page, and says so. It answers by a port, so that the site's own scripts hear nothing. */
const PROTOCOL = 1;
const INSTALLING = 5000; // Milliseconds for all that has to be there before the service worker can be asked.
const SOON = 300; // One that is up answers within some milliseconds, and one that has to be started soon after.
const UNSURE = 1000;
const STARTING = 5000;
const LINE = /\/analytics\.js\/v1\/[^"'`]*\/service\.js/;

async function connectService(given, hear, failed, lost) {
  const { folder, newId, stub, intrinsics, trust, cdn, writeKey, early, options } = given;
  const container = navigator.serviceWorker;
  if (!container) throw new Error(isSecureContext ? "the browser has none for this page" : "the page needs HTTPS");
  // The snippet has asked for it already, unless it is one that knows nothing of service workers.
  const register = () => (stub._service = registerService(intrinsics, trust, cdn, writeKey, early, options));
  let service = stub._service ?? register();
  const registration = await Promise.race([installed(), failingIn(INSTALLING, "it is not installed yet")]);
  const id = newId();
  const { port1, port2 } = new MessageChannel();
  let over = false;
  let greeted = false;

  function end() {
    if (over) return;
    close();
    service.page = "";
    lost();
  }
  function close() {
    over = true;
    port1.close();
    container.removeEventListener("message", told);
  }
  function told({ data }) {
    if (data && data.satsumaLost === id) end();
  }
  function post(message, ports = []) {
    if (!registration.active) return end();
    registration.active.postMessage({ satsuma: id, ...message }, ports);
  }

  async function installed() {
    let registration = await service.registration;
    // Browsers that evict an origin's storage take its service worker away, too.
    if (!workerOf(registration)) registration = await (service = register()).registration;
    await activated(registration);
    return registration;
  }
  function pause(milliseconds) {
    return new Promise((go) => setTimeout(go, milliseconds));
  }
  async function failingIn(milliseconds, reason) {
    await pause(milliseconds);
    throw new Error(reason);
  }

  function workerOf({ active, waiting, installing }) {
    return active || waiting || installing;
  }

  function activated(registration) {
    const worker = workerOf(registration);
    return new Promise((resolve, reject) => {
      const look = () => {
        if (registration.active) resolve();
        else if (worker.state === "redundant") reject(new Error("its script could not be run"));
      };
      worker.addEventListener("statechange", look);
      look();
    });
  }

  port1.onmessage = ({ data }) => {
    if (data.here) {
      greeted = true;
      // The browser looks itself for a new version once a day.
      if (data.here !== folder.split("/").slice(-2)[0]) registration.update().catch(() => {});
    }
    hear(data);
  };
  port1.addEventListener("close", end);
  container.addEventListener("message", told);
  container.startMessages();
  post({ way: "boot", given: { protocol: PROTOCOL } }, [port2]);
  giveUpWhereSilent();

  /* One that has no line of ours never answers. No visitor waits for that: its script tells. */
  async function giveUpWhereSilent() {
    await pause(SOON);
    if (!greeted) await pause(await patience());
    if (greeted || over) return;
    leave();
    service.page = "";
    failed(new Error("it does not answer: the script " + registration.active?.scriptURL + " has to import the collector's service.js"));
  }
  async function patience() {
    try {
      const text = await (await fetch(registration.active.scriptURL, { cache: "force-cache" })).text();
      // What it imports may have the line.
      return LINE.test(text) ? STARTING : text.includes("importScripts") ? UNSURE : 0;
    } catch (error) {
      return UNSURE;
    }
  }
  function leave() {
    post({ way: "gone" });
    close();
    service.late = true;
  }
  return {
    post,
    knows: () => Object.assign(service, { page: id, late: false }),
    check: () => post({ way: "ping" }),
    leave,
  };
}
document.currentScript.hostPython = (given) => hostPython(given, connectService);
