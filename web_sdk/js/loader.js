/* Satsuma's loader: boots Python from a memory image, hands it the calls made so far, and becomes window.analytics. */
!(function () {
  "use strict";
  // Filled in by the build: where this version's files lie, relative to the runtime folder.
  const RUNTIME = /*RUNTIME*/ { folder: "dev/", lockInfo: {}, integrity: {}, image: { config: {}, pages: 0, blocks: {} } } /*END*/;

  const PLUGIN_MILLISECONDS = 5000;
  const IDLE_MILLISECONDS = 2000;
  const ANSWER_MILLISECONDS = 3000;
  const BREATH_MILLISECONDS = 10;
  const LEAVING_MILLISECONDS = 200;

  /*INTRINSICS*/

  /*VALUES*/

  /*CALL_RECORD*/

  /*JOURNAL*/

  /*BEACON*/

  /*EARLY*/

  /*TRUST*/

  /*MEND*/

  /*ATTEMPT*/

  /*AUTO_TRACK*/

  /*FACE*/

  /*GUARD*/

  const atFirstSight = takeIntrinsics(window);
  const script = atFirstSight.document.currentScript;
  const stubName = (script && script.dataset.globalSegmentAnalyticsKey) || "analytics";
  const taken = globalOf(stubName);
  const stub = Array.isArray(taken) ? taken : [];
  const intrinsics = mend(stub._intrinsics || atFirstSight);
  if (stub._texts) texts = stub._texts;
  const given = stub._given || {}; // By an app that is built with npm's package.
  const { Date, JSON, Promise, crypto, document, fetch, localStorage, setTimeout } = intrinsics;

  /*FILES*/

  const options = stub._loadOptions || {};
  const alone = options.python === "collector"; // Chosen by the page, or by the snippet.
  if (alone) options.early = true;
  const where = { python: options.python || (options.worker ? "worker" : "page"), because: stub._scarce || "" };
  const globalName = options.globalAnalyticsKey || stubName;
  const query = location.search || location.hash.replace(/(?=#).*(?=\?)/, "");
  const here = /^(.*\/analytics\.js)\/v1\/([^/]+)\//.exec(script ? script.src : "") || [];
  const cdn = here[1] ? here[1].replace(/\/analytics\.js$/, "") : "";
  const writeKey = stub._writeKey || decodeURIComponent(here[2] || "");
  const early = stub._early || EARLY + writeKey + ":" + newId();
  const folder = here[1] + "/runtime/" + RUNTIME.folder;

  /* What a script has left in the page. An element with that id is no property of the window's own. */
  function globalOf(name) {
    return Object.prototype.hasOwnProperty.call(window, name) ? window[name] : undefined;
  }

  function warnOfName(name) {
    console.warn(`[satsuma] window.${name} is another library's: give the source ${writeKey} a name of its own by the option globalAnalyticsKey.`);
  }

  /* Each source is started once in a page, under each of its names, however often its script is run. */
  const mark = Symbol.for("satsuma");
  const started = (window[mark] = window[mark] || new Set());
  const foreign = taken && taken !== stub;
  if (started.has(stubName + " " + writeKey)) return;
  if (foreign) return void warnOfName(stubName);
  started.add(stubName + " " + writeKey);

  /* The collector makes events of the calls that it is handed: as the page is left, or now and then where Python will never
     come up. It is not so sure where a file did not load: then the calls of this page go together, to keep their order. */
  const runs = runsWebAssembly();
  let again;
  async function goOnAlone(error) {
    console.warn("[satsuma] Python could not start: calls go to the collector as they are, and nothing is answered.", error);
    given.refuse?.(error);
    if (!(await runs)) again = goAlone(waiting, left);
  }

  /* Python is gone from this page, and does not come back. */
  const guard = makeGuard(takeUp, options, (error) => {
    goOnAlone(error);
    again ||= goAlone(waiting, left);
  });

  function left() {
    leave(waiting, cdn, writeKey, early, options, end.gone);
  }
  const end = watchEnd(window, left);

  /* The stub's calls, each with its note: a stub that isn't ours notes no time, so it is noted at first sight. */
  const waiting = [];
  const sender = stub._sender || makeEarlySender(waiting, cdn, writeKey, early, options);
  sender.calls = waiting;
  sender.give = () => wanted();
  /* Python may wait until the page has nothing else to do where calls need not wait for Python. */
  let wanted;
  const asked = new Promise((resolve) => (wanted = resolve));
  function calm() {
    if (alone) {
      // What Python pages have left is Python's to send, and destinations in the page are Python's to load.
      quietly(() => storedNames(/^(satsuma_(queue|backlog)|persisted-queue):/)[0] && wanted());
      fetchSettings().then((settings) => (Object.keys({ ...settings.remotePlugins, ...settings.enabledMiddleware })[0] || Object.keys(settings.integrations)[1]) && wanted()).catch(() => {});
      return asked;
    }
    const idle = () => (window.requestIdleCallback ? requestIdleCallback(() => wanted(), { timeout: IDLE_MILLISECONDS }) : setTimeout(wanted, 200));
    if (document.readyState === "complete") idle();
    else window.addEventListener("load", idle);
    return asked;
  }
  function noted(call) {
    // One of our own stub's is whole, and may be under way: what becomes of it is noted on it.
    if (Array.isArray(call) && (!EVENTS.includes(call[0]) || Object(call[call.length - 1]).id)) return call;
    const [method, ...args] = Array.from(call);
    if (EVENTS.includes(method)) args.push(Object.assign(note(), isNote(args[args.length - 1]) ? args.pop() : null));
    return [method, ...args];
  }
  function hold(call) {
    waiting.push(call);
    keepSoon(waiting, early, options);
    sender.soon();
    if (alone) forgetGone(waiting);
    if (again) again();
    if (end.gone) left();
    if (!EVENTS.includes(call[0]) && !WHO.includes(call[0])) wanted();
  }
  function takeUp(call) {
    const taken = noted(call);
    if (admits(taken)) hold(taken);
  }
  /* At once in a page that its visitor has opened. */
  function whenOpened(work) {
    if (unopened(options)) document.addEventListener("prerenderingchange", () => work(), { once: true });
    else work();
  }
  whenOpened(() => {
    // These have had their place in localStorage, which is bounded itself.
    waiting.unshift(...leftBehind(writeKey, early).map(noted));
    if (waiting.length) keepSoon(waiting, early, options);
    sender.soon();
  });
  if (options.initialPageview) takeUp(["page"]);
  if (Array.isArray(stub)) {
    stub.splice(0).forEach(takeUp);
    stub.delivery = () => where;
    stub.push = function (...calls) {
      calls.forEach(takeUp);
      return waiting.length;
    };
  }

  function trust(url) {
    return trusted(window, document, cdn, url);
  }

  function loadScript(name, own) {
    return new Promise((resolve, reject) => {
      const element = document.createElement("script");
      element.intrinsics = { ...intrinsics, ...own };
      element.src = trust(folder + name);
      element.crossOrigin = "anonymous";
      element.integrity = RUNTIME.integrity[name] || "";
      element.onload = () => resolve(element);
      element.onerror = () => reject(new Error("Failed to load " + name));
      document.head.appendChild(element);
    });
  }

  /* Whether browser and page let WebAssembly run, asked with the smallest module that there is. What forbids it says so at
     once. Otherwise nobody waits for the answer: in WebKit it comes when the compiler is done with the page before, and one
     that is asked for synchronously held up the page for so long. */
  async function runsWebAssembly() {
    try {
      await Promise.race([WebAssembly.compile(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)), pause()]);
      return true;
    } catch (error) {
      return false;
    }
  }

  /* Lets the page do what it has to, now and then: no click of a visitor waits for the whole of a boot. */
  let breathed = performance.now();
  async function breathe(after = BREATH_MILLISECONDS) {
    if (performance.now() - breathed < after) return;
    await pause();
    breathed = performance.now();
  }

  /* A message would come sooner than a timeout. In WebKit, which knows no scheduler.yield, it comes too soon: boots took no
     less time, and their longest block grew from 121 to 254 ms. */
  function pause() {
    return window.scheduler && scheduler.yield ? scheduler.yield() : new Promise((go) => setTimeout(go));
  }

  /* Python's way in: what starts a page. */
  async function bootPython() {
    const [place, bootThere] = options.python === "service" ? ["a service worker", bootInService] : options.worker ? ["a worker", bootInWorker] : [];
    if (place) {
      try {
        return await bootThere();
      } catch (error) {
        console.warn(`[satsuma] Python can't run in ${place} here; it runs in the page.`, error);
      }
    }
    const python = await bootHere();
    const { start } = python.pyimport("satsuma.platforms.browser.boot");
    await breathe();
    return (page) => start({ ...page, install: (ask, ...more) => page.install(guard.around(ask), ...more) });
  }

  function bootInWorker() {
    return bootBehind("host.js", { file: later(load(folder + "worker.js", RUNTIME.integrity["worker.js"])) });
  }

  function bootInService() {
    return bootBehind("service_host.js");
  }

  async function bootBehind(name, more) {
    const { hostPython } = await loadScript(name);
    // A page that the browser keeps aside may still hear of its worker: what it has left is the next page's all the same.
    const keepCalls = () => {
      keep(waiting, early, options, end.gone);
      if (end.gone) left();
    };
    const { image, integrity } = RUNTIME;
    const agree = (offer) => (nextId = offer);
    const parts = { stub, early, intrinsics, native, Context, Payload, EVENTS, WHO, calls: waiting, keepCalls, topDomain, storedNames, newId, agree, trust };
    return hostPython({ folder, cdn, writeKey, image, integrity, options, whole: compiles(), ...parts, ...more });
  }

  /* Plugins in Python need its compiler, which other pages do without. */
  function compiles() {
    return Boolean(options.pythonPlugins && options.pythonPlugins.length);
  }

  /* From the memory image; where the engine can't restore it, the plain way, which takes some three times as long. */
  async function bootHere() {
    try {
      const glue = async () => (await loadScript("python.js")).startPython;
      return await bootImage({ folder, image: RUNTIME.image, integrity: RUNTIME.integrity, glue, breathe, whole: compiles(), lost: guard.end });
    } catch (error) {
      console.warn("[satsuma] The memory image could not be restored; starting Python the slow way.", error);
      return bootPlainly();
    }
  }

  async function bootPlainly() {
    const { startPlainly } = await loadScript("plain.js");
    return startPlainly(folder, RUNTIME, loadScript);
  }

  async function fetchSettings() {
    if (options.disable === true) return { integrations: {} };
    let settings = given.settings;
    if (!settings) {
      const url = cdn + "/v1/projects/" + encodeURIComponent(writeKey) + "/settings";
      const response = await fetch(url);
      if (!response.ok) throw new Error(url + ": " + response.status);
      settings = await response.json();
    }
    return options.updateCDNSettings ? options.updateCDNSettings(settings) : settings;
  }

  /* What more the browser tells of itself than it does unasked; only where the page wants that. */
  async function fetchHints() {
    const known = navigator.userAgentData;
    if (!known || !options.highEntropyValuesClientHints) return null;
    return known.getHighEntropyValues(options.highEntropyValuesClientHints).catch(() => null);
  }

  /* Plugins in Python that the page brings along: the text of each module. */
  function fetchPlugins() {
    const urls = options.pythonPlugins || [];
    return Promise.all(
      urls.map(async (url) => {
        const response = await fetch(url);
        if (!response.ok) console.warn("[satsuma] The plugin " + url + " could not be loaded: " + response.status);
        return { url, text: response.ok ? await response.text() : "" };
      }),
    );
  }

  /* A call that fails takes none of those behind it along. Its answer is for who has asked for it: npm's package. */
  function call(face, one) {
    let result;
    try {
      if (typeof face[one[0]] === "function") result = face[one[0]](...one.slice(1));
    } catch (error) {
      if (one.answer) result = later(Promise.reject(error));
      else console.error(error);
    }
    quietly(() => one.answer(result));
    return result;
  }

  function callAll(face, names) {
    const chosen = waiting.filter(([method]) => names.includes(method));
    chosen.forEach((one) => waiting.splice(waiting.indexOf(one), 1));
    return chosen.map((one) => make(face, one));
  }

  /* What the collector has made an event of already, plugins and listeners are told of; it changes nothing any more. */
  function make(face, one) {
    if (one.made === true) return void quietly(() => one.answer());
    if (one.made) one[one.length - 1].made = JSON.stringify(one.made);
    return call(face, one);
  }

  /* Who the visitor is comes first, then listeners, then plugins; then everything in the order in which it was called. */
  async function replay(face, initialize, answered) {
    callAll(face, ["consent", "setAnonymousId", "on", "once"]);
    for (const names of [["register"], ["addSourceMiddleware", "addDestinationMiddleware"]]) {
      const loading = callAll(face, names);
      // A plugin that never loads keeps no event back for ever.
      if (loading.length) await Promise.race([Promise.all(loading), giveUp(PLUGIN_MILLISECONDS)]).catch(console.warn);
    }
    await breathe();
    face.initialized = !answered;
    takeName(face);
    initialize();
    waiting.splice(0).forEach((one) => make(face, one));
    keep(waiting, early, options);
    // A page that was killed looks, at first, like one that is still there.
    setTimeout(() => leftBehind(writeKey, early).forEach(face.push), ORPHANED + 2000);
    if (Array.isArray(stub)) stub.push = (...calls) => calls.forEach(face.push);
    // Where Python is elsewhere, the page is up when cookies and localStorage say who the visitor is.
    if (answered) await Promise.race([answered(), new Promise((go) => setTimeout(go, ANSWER_MILLISECONDS))]);
    face.initialized = stub.initialized = true;
  }

  /* Becomes the page's global, unless another library has meanwhile. */
  function takeName(face) {
    const there = globalOf(globalName);
    const queue = Array.isArray(there) && (there === stub || !there.invoked);
    if (queue && there !== stub) there.splice(0).forEach(takeUp);
    stub._face = face;
    if (queue || !there) window[globalName] = face;
    else warnOfName(globalName);
  }

  /* The window as Python sees it: with its built-in objects as they were at first sight. */
  const seen = view(window, { __proto__: intrinsics, navigator: view(navigator, { __proto__: null, sendBeacon: intrinsics.sendBeacon }) });
  function view(object, own) {
    return new Proxy(object, {
      get(target, name) {
        if (name in own) return own[name];
        const value = target[name];
        // The browser's functions, which have no prototype as classes have, want the real object.
        return typeof value === "function" && !value.prototype ? value.bind(target) : value;
      },
    });
  }

  async function boot() {
    if (!(await runs)) throw new Error("the browser or the page's policy ('wasm-unsafe-eval') allows no WebAssembly");
    trust(folder); // Where the page's policy forbids it, nothing need be tried.
    if (!sender.over) await calm();
    let begun = performance.now();
    const answer = fetchSettings().catch((error) => {
      // A page that is being left ends its requests, which is no error of anybody's.
      setTimeout(() => end.gone || console.error("[satsuma] The settings of the source could not be had.", error), LEAVING_MILLISECONDS);
      throw error;
    });
    const [start, settings, clientHints, plugins] = await Promise.all([bootPython(), answer, fetchHints(), fetchPlugins()]);
    // Python itself may be got ready in advance: nothing of it knows of the visitor before it is started.
    const ready = performance.now();
    await new Promise(whenOpened);
    await sender.end(ANSWER_MILLISECONDS);
    begun += performance.now() - ready;
    if (typeof options.disable === "function") options.disable = Boolean(await options.disable(settings));
    options.retryQueue ??= settings?.integrations?.["Segment.io"]?.retryQueue ?? true;
    const about = { SNIPPET_VERSION: stub.SNIPPET_VERSION, VERSION: RUNTIME.version, _writeKey: writeKey, options };
    const install = (ask, initialize, apiHost, answered) => {
      const face = makeFace(ask, about);
      face.settings = { writeKey, cdnSettings: settings, cdnURL: cdn, timeout: 300, apiHost: apiHost.split("//")[1] };
      const { delivery } = face;
      face.delivery = () => ({ ...delivery(), ...where });
      face.bootMilliseconds = Math.round(performance.now() - begun);
      return { face, begin: () => replay(face, initialize, answered) };
    };
    const page = { window: seen, writeKey, settings, options, query, cdn, clientHints, plugins, given, native, breathe, install };
    // Read once, with one warning.
    if (Object(options) === options) texts.set(options, told("analytics.load", options));
    return start(page);
  }

  boot().catch(goOnAlone);
})();
