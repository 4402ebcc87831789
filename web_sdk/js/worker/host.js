/* The page's half where Python runs in a worker or a service worker: does what Python wants done to the page, tells it how
   things stand there, and answers at once what a page asks at once. `connect(given, hear, failed, lost)` opens the way to it:
   `hear` gets what it posts, and `lost` is called where it is gone and may be asked again. */
function hostPython(given, connect) {
  const { native, Context, Payload, EVENTS, WHO, calls, keepCalls, options, topDomain, storedNames, newId, agree } = given;
  const LIGHT = /^(ajs_|satsuma_generation)/;
  const GONE = "; expires=Thu, 01 Jan 1970 00:00:00 GMT";
  const YEAR = "; max-age=31536000; samesite=lax";
  const MOST_PLACES = 8;
  const PATIENCE = 15000; // Python answers sooner, whatever the collector does: then the worker is gone.
  const DOUBT = 5000;
  const MOST_LASTING = 500;
  const HOLDING = ["register", "addSourceMiddleware", "addDestinationMiddleware"];
  const LASTING = [...HOLDING, "deregister", "on", "off", "debug", "timeout", "maxListeners", "consent"];
  const IDENTITY = ["ajs_user_id", "ajs_anonymous_id", "ajs_group_id", "ajs_user_traits", "ajs_group_properties", "satsuma_handover", "satsuma_refreshed", "satsuma_generation"];
  const named = namedKeys([options.user, options.group]);
  const ids = IDENTITY.slice(0, 3).concat(named);
  const domain = quietly(topDomain, "");
  const { domain: at = domain, path: below = "/" } = Object(options.cookie);
  const place = "path=" + below + (at ? "; domain=" + at : ""); // Where our own cookies are.
  const contexts = new Map();
  const waiting = new Map(); // What has no answer yet: how to give it, the call that it is of, and how it was asked.
  const lasting = []; // What was asked that has to be asked again of an interpreter that knows nothing of this page.
  let done = 0;
  let seen; // The cookies as they were when they were last settled.
  let last = 0;
  let silent = false; // The visitor has said no.
  let departed = false; // Python goes on without the page: what is called now was handed over as it was kept.
  let plugins = [{ name: "Page Enrichment", type: "before" }, { name: "Segment.io", type: "destination" }];
  let page, face, connection, up, journal, apiHost, writeKey;
  const foresight = makeForesight(newId);
  agree(foresight.offer);

  const line = makeLine((message) => post({ ...message, world: world(true) }), {
    context: {
      is: (value) => value instanceof Context,
      write: ({ serial, event }) => ({ serial, event: native.json(event) }),
      read({ serial, id, event, outcome }) {
        const context = native.context(contexts.get(serial), id, event, outcome);
        context.serial = serial;
        contexts.set(serial, context);
        if (contexts.size > 1000) contexts.delete(contexts.keys().next().value);
        return context;
      },
    },
    payload: { is: (value) => value instanceof Payload, write: (value) => native.json(value.obj), read: native.payload },
    face: { is: (value) => value === face, write: () => true, read: () => face },
  });

  function quietly(ask, otherwise) {
    try {
      return ask();
    } catch (error) {
      return otherwise;
    }
  }

  /* Keys that the page has chosen itself. */
  function namedKeys(given) {
    return given.flatMap((one) => [one?.cookie?.key, one?.localStorage?.key]).filter(Boolean);
  }

  /* A cookie of another domain or path that has the name of one of ours: a worker can't find out which is which. By the
     rules of satsuma/strays.py and satsuma/generation.py, which see to it where Python is in the page. */
  function settleStrays() {
    const text = document.cookie;
    if (text === seen) return;
    const number = Number(valuesOf("satsuma_generation")[0]) || 0;
    const own = number && Number(localStorage.getItem("satsuma_generation"));
    for (const name of ids) {
      const values = valuesOf(name);
      if (!values.length) continue;
      if (new Set(values).size > 1 || own < number) removeStrays(name, true);
      else if (number && own === number && JSON.stringify(values[0]) !== localStorage.getItem(name)) removeStrays(name);
      if (own >= number && values.length > 1 && !valuesOf(name).length) document.cookie = name + "=" + values[0] + "; " + place + YEAR;
      if (new Set(valuesOf(name)).size > 1) console.warn("[satsuma] There is another cookie " + name + ", on another domain or path, which can't be removed");
    }
    seen = document.cookie;
  }
  function valuesOf(name) {
    const found = document.cookie.split("; ").filter((pair) => pair.startsWith(name + "="));
    return found.map((pair) => pair.slice(name.length + 1));
  }
  /* From everywhere but its own place; those of the root only where `all` is set. */
  function removeStrays(name, all) {
    const parts = location.hostname.split(".");
    // An address of numbers and a name of one part have no domain: with one, a browser takes them for our own place.
    const plain = parts.length < 2 || (parts.length === 4 && parts[3] > 0) || location.hostname[0] === "[";
    const domains = ["", ...(plain ? [] : parts.map((_, at) => "; domain=" + parts.slice(at).join(".")))].slice(-MOST_PLACES);
    const folders = location.pathname.split("/").slice(1, MOST_PLACES);
    const paths = folders.reduce((found, part) => [...found, found[found.length - 1] + part, found[found.length - 1] + part + "/"], ["/"]);
    for (const path of all ? paths : paths.slice(1))
      for (const where of domains) if ("path=" + path + where !== place) document.cookie = name + "=; path=" + path + where + GONE;
  }

  /* How things stand in this page. */
  function world(light) {
    quietly(settleStrays);
    const canonical = document.querySelector("link[rel='canonical']");
    // What pages of analytics.js have left is Python's to take over, as our own.
    const left = (key) => key.startsWith(QUEUE) || key.startsWith("persisted-queue:v1:");
    const ours = (key) => LIGHT.test(key) || named.includes(key) || (!light && left(key));
    const items = () => storedNames(/./).filter(ours).map((key) => [key, localStorage.getItem(key)]);
    return {
      light,
      done,
      domain,
      host: location.hostname,
      items: quietly(() => Object.fromEntries(items()), null),
      cookie: quietly(() => document.cookie, null),
      offer: foresight.offer(),
      now: Date.now(),
      title: document.title,
      referrer: document.referrer,
      canonical: canonical && canonical.getAttribute("href"),
      visibility: document.visibilityState,
      secure: window.isSecureContext,
    };
  }

  /* What can't be posted now is asked again later, where it has to be; see revive. */
  function post(message) {
    if (connection) connection.post(message);
  }

  function send(way, given, light = true) {
    post({ way, given, world: world(light) });
  }

  /* Functions go as their numbers; all else as an event would carry it. */
  function sendable(value) {
    if (typeof value === "function") return line.write(value);
    if (value === null || typeof value !== "object") return typeof value === "symbol" ? null : value;
    return { $json: native.json(value) || "null" };
  }

  /* Methods may be of the plugin's class. */
  function plugin(value) {
    const names = [...EVENTS, "load", "unload", "ready"].filter((name) => typeof value?.[name] === "function");
    const methods = names.map((name) => [name, line.write(value[name].bind(value))]);
    return { name: value?.name, type: value?.type, ...Object.fromEntries(methods) };
  }

  function isNoDelivery({ name }) {
    return name !== "Segment.io";
  }

  function registered(value) {
    plugins.push(value);
    return plugin(value);
  }

  /* Asks Python for something that has an answer. */
  function request(way, asked, { resolve, reject, call }) {
    const given = [...asked, ++last];
    const id = last;
    waiting.set(id, { resolve, reject, call, way, given });
    if (asked.some((part) => LASTING.includes(part)) && lasting.length < MOST_LASTING) lasting.push({ id, way, given });
    if (connection) send(way, given);
    else if (revive && !departed) revive();
    setTimeout(() => waiting.has(id) && connection?.check?.(), DOUBT);
  }

  /* What says who the visitor is stays as long as anything before it: made again by the next page, it has the last word. */
  function tidy() {
    let first = true;
    for (const call of [...calls])
      if (!call.settled) first = false;
      else if (first || !WHO.includes(call[0])) calls.splice(calls.indexOf(call), 1);
  }

  function settle({ settled, value, refused }) {
    if (!waiting.has(settled)) return;
    const { resolve, reject, call } = waiting.get(settled);
    waiting.delete(settled);
    if (call) {
      call.settled = true;
      tidy();
      keepCalls();
    }
    if (refused !== undefined) reject?.(refused);
    else resolve(line.read(value));
  }

  /* Events that Python has made are written here together with what their calls have made of the visitor. */
  function journaled(key, value) {
    journal = value && { key, value };
    for (const call of calls) {
      const { id } = Object(call[call.length - 1]);
      if (id && value?.includes(id)) call.settled = true;
    }
    tidy();
    keepCalls();
  }

  /* Python may hear too late that its page goes. What it has no answer for goes once more, and is the next page's. */
  function handOver() {
    if (silent || !journal || localStorage.getItem(journal.key) === null) return;
    const { events } = JSON.parse(journal.value);
    const body = (batch) => JSON.stringify({ batch, sentAt: new Date().toISOString(), writeKey });
    // As many as the browser takes, the first ones first.
    for (let batch = events; batch.length && !sendBeacon(apiHost + "/b", body(batch)); ) batch = batch.slice(0, batch.length >> 1);
    giveUpJournal();
  }

  /* What was called before the calls that are handed over, and has no answer either: in one request, nothing overtakes it. */
  function eventsBefore(most) {
    return !silent && journal && journal.value.length < most ? quietly(() => JSON.parse(journal.value).events, []) : [];
  }

  /* From now on anybody may take it. */
  function giveUpJournal() {
    localStorage.setItem(journal.key, freed(journal.value));
  }

  /* Returns the name of what is left as it is: a server, another tab or a logout has written there since Python decided. */
  function write({ cookie, key, value, was, what }) {
    // After a no, what Python wrote before it heard of that is written no more; what it removes is.
    if (silent && (key === undefined ? !/^[^=]*=;/.test(cookie) : value !== null)) return;
    if (key?.startsWith(QUEUE)) journaled(key, value);
    try {
      if (was && !stands(cookie, key, value, was)) return what;
      if (cookie !== undefined) bake(cookie);
      else if (value === null) localStorage.removeItem(key);
      else localStorage.setItem(key, value);
    } catch (error) {
      console.warn("[satsuma] The page keeps nothing: " + error);
    }
  }

  function stands(cookie, key, value, was) {
    if (key !== undefined && !LIGHT.test(key) && !named.includes(key)) return true; // Python is not told of these.
    const [name, text] = key === undefined ? halves(cookie.split(";")[0]) : [key, value];
    const found = key === undefined ? valuesOf(name) : [localStorage.getItem(key)];
    return (found.length ? found : [null]).some((one) => one === (text || null) || was.includes(one));
  }

  function bake(cookie) {
    document.cookie = cookie;
    const [name] = halves(cookie);
    // One that is removed has no value.
    if (cookie[name.length + 1] === ";" && valuesOf(name).length) removeStrays(name, true);
  }

  const doings = {
    writes({ writes, number, confirm }) {
      const left = writes.map(write).filter(Boolean);
      done = number;
      if (left.length) post({ way: "confirm", given: number, now: Date.now(), left, world: world(true) });
      else if (confirm) post({ way: "confirm", given: number, now: Date.now() });
    },
    who: ({ who }) => foresight.told(who),
    settled: settle,
    beacon: ({ beacon }) => sendBeacon(...beacon),
    look: ({ id }) => post({ answers: id, args: [], value: world(false) }),
    async begin({ begin, id }) {
      apiHost = begin;
      if (face) askAgain();
      else {
        // Where Python has it, too: behind the settings' own plugins.
        plugins = [...plugins.filter(isNoDelivery), ...plugins.filter((one) => !isNoDelivery(one))];
        const made = page.install(ask, () => send("initialize"), begin, round);
        face = made.face;
        await made.begin();
      }
      connection?.knows?.();
      post({ answers: id, args: [] });
    },
    /* What the settings have a page load. */
    async remote({ remote: [way, ...about], id }) {
      const told = { answers: id, args: [] };
      try {
        const made = await native[way](...about, options.integrations);
        told.value = way === "plugins" ? made.map(registered) : line.write(made);
      } catch (error) {
        told.error = String(Object(error).message || error);
      }
      post(told);
    },
    complaint: ({ complaint }) => console.warn("[satsuma] " + complaint),
    // An engine compiles no bytes of which it has a module. The worker's own goes with it; so the page keeps it, and the
    // worker of the next page is up sooner.
    module: ({ module }) => (connection.module = module),
    ready: () => up.resolve(start),
    failed: ({ failed }) => up.reject(new Error(failed)),
    here: () => {},
  };

  /* Resolves when Python has heard all that it was told so far, and the page has done what came of it. */
  function round() {
    connection?.knows?.();
    return new Promise((resolve) => request("round", [], { resolve }));
  }

  /* Where the page keeps an id, one that is given takes its place at once: a form that is sent next takes the cookie along.
     Python, which is told how things stood before, writes the same. */
  function putAtOnce(name, id) {
    if (silent || typeof id !== "string" || !/^[\w.-]{1,200}$/.test(id) || quietly(() => [JSON.parse(id)], null)) return;
    const secure = Object(options.cookie).secure ? "; secure" : "";
    quietly(() => valuesOf(name)[0] && bake(name + "=" + id + "; " + place + YEAR + secure));
    quietly(() => localStorage.getItem(name) && localStorage.setItem(name, JSON.stringify(id)));
  }

  /* What the face asks, as it asks Python itself where that is in the page. */
  const ask = {
    event(name, args, note, resolve, reject) {
      foresight.call(name, args);
      const call = kept([name, ...args.filter((arg) => typeof arg !== "function"), note]);
      request("event", [name, args.map(sendable), note], { resolve, call, reject });
      setTimeout(resolve, PATIENCE);
    },
    later(name, args, resolve, reject) {
      if (name === "deregister") plugins = plugins.filter((one) => !args.includes(one.name));
      // What plugins of the page have to see can't go without them.
      if (HOLDING.includes(name)) options.holdsBack = true;
      request("later", [name, args.map(name === "register" ? registered : sendable)], { resolve, reject });
    },
    now(name, args) {
      foresight.call(name, args);
      const refuses = name === "consent" && args[0] !== undefined && !args[0];
      if (name === "timeout") face.settings.timeout = args[0];
      if (name === "consent") answerOfVisitor(refuses);
      answered("now", name, args, WHO.includes(name) && name !== "consent" ? kept([name, ...args]) : undefined);
      if (name === "setAnonymousId") {
        putAtOnce("ajs_anonymous_id", args[0]);
        return foresight.identity("user", "anonymousId", []);
      }
      return name === "delivery" ? foresight.delivery() : undefined;
    },
    user: (name, args) => identity("user", name, args),
    group: (name, args) => identity("group", name, args),
    storage: (name, args) => answered("storage", name, args),
    queue(name, args) {
      const failed = foresight.failed();
      if (name === "failedInitializations") return failed;
      if (name === "length") return 0; // What waits there is not known here.
      if (name === "plugins") return plugins.filter((one) => !failed.includes(one.name));
      return answered("queue", name, args);
    },
  };

  function answered(way, name, args, call) {
    return new Promise((resolve) => request("answered", [way, name, args.map(sendable)], { resolve, call }));
  }

  /* Until its fate is known: a page may be left, or killed, before Python has seen the call. */
  function kept(call) {
    calls.push(call);
    keepCalls();
    return call;
  }

  /* Calls are kept, or not, as the visitor said last. */
  function answerOfVisitor(refuses) {
    options.consent = refuses ? "required" : undefined;
    silent = refuses;
    if (refuses) forget();
  }

  function forget() {
    if (journal) localStorage.removeItem(journal.key);
    journal = null;
    for (const key of [...IDENTITY, ...named, ...named.map((key) => "satsuma_generation_" + key)]) {
      quietly(() => localStorage.removeItem(key));
      quietly(() => bake(key + "=; " + place + GONE));
    }
  }

  /* Python hears of the question too: asking for the anonymousId makes one. */
  function identity(kind, name, args) {
    answered(kind, name, args);
    return foresight.identity(kind, name, args);
  }

  let told;
  function start({ install, native, breathe, options, window: _, ...rest }) {
    page = { install };
    writeKey = rest.writeKey;
    const { useQueryString, integrations } = options;
    const headers = integrations?.["Segment.io"]?.deliveryStrategy?.config?.headers;
    const { href, pathname, search, hostname, origin, hash, protocol, host } = location;
    const about = {
      location: { href, pathname, search, hostname, origin, hash, protocol, host },
      navigator: { doNotTrack: navigator.doNotTrack || window.doNotTrack, globalPrivacyControl: navigator.globalPrivacyControl },
    };
    const chosen = { ...JSON.parse(native.json(options) || "{}"), ...(useQueryString ? { useQueryString } : {}) };
    told = { ...rest, options: chosen, about, headers: typeof headers === "function" ? line.write(headers) : null };
    send("start", told, false);
    window.addEventListener("pagehide", () => quietly(handOver));
    if (connection.leave) {
      window.addEventListener("pagehide", part);
      return void window.addEventListener("pageshow", () => (departed = false));
    }
    calls.before = eventsBefore;
    for (const name of ["pagehide", "pageshow"])
      window.addEventListener(name, (event) => send("happened", [name, { persisted: Boolean(event.persisted) }], false));
    document.addEventListener("visibilitychange", () => send("happened", ["visibilitychange", {}], false));
  }
  for (const name of ["online", "offline"]) window.addEventListener(name, () => page && send("happened", [name, {}], false));

  /* Python goes on without the page. One that the browser keeps aside, and shows again, is a new one for Python. */
  function part() {
    if (connection) connection.leave();
    connection = null;
    departed = true;
  }

  /* Where Python is gone and knows nothing of this page any more, it is asked again for what has no answer; a page that waits
     for nothing lets it rest. */
  let reviving = false;
  async function revive() {
    if (reviving || !told) return;
    reviving = true;
    connection = null;
    try {
      if (journal && localStorage.getItem(journal.key) !== null) giveUpJournal();
    } catch (error) { /* Then only the collector has it. */ }
    journal = null;
    contexts.clear();
    done = 0;
    try {
      await open();
      // The page's address has been followed already.
      send("start", { ...told, query: "" }, false);
    } catch (error) {
      console.warn("[satsuma] Python is gone: calls are kept for the next page.", error);
    }
    reviving = false;
  }

  function askAgain() {
    const asked = [...waiting];
    for (const { way, given } of lasting) send(way, given);
    send("initialize");
    for (const [id, { resolve, call, way, given }] of asked) {
      if (lasting.some((one) => one.id === id)) continue;
      if (!call?.settled) send(way, given);
      // Its event is in the journal already, which Python has taken up.
      else if (waiting.delete(id)) resolve();
    }
  }

  function lost() {
    connection = null;
    if (waiting.size) revive();
  }

  function hear(data) {
    if (!line.take(data)) doings[Object.keys(doings).find((name) => name in data)](data);
  }

  function open() {
    return new Promise((resolve, reject) => {
      up = { resolve, reject };
      connect(given, hear, reject, lost).then((made) => (connection = made), reject);
    });
  }
  return open();
}
