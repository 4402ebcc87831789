/* Satsuma's loader: boots Python from a memory snapshot, hands it the calls made so far, and becomes window.analytics. */
!(function () {
  "use strict";
  // Filled in by the build: where this version's files lie, relative to the runtime folder.
  const RUNTIME = /*RUNTIME*/ { folder: "dev/", lockInfo: {}, integrity: {} } /*END*/;

  const EVENTS = ["track", "identify", "page", "screen", "group", "alias"];
  const METHODS = ["reset", "setAnonymousId", "on", "once", "off", "debug", "timeout", "flush", "delivery"];
  const IDENTITY = ["id", "anonymousId", "traits", "identify", "logout", "reset", "save"];
  const CHAINED = ["on", "once", "off", "debug"];

  const RESTORE_MILLISECONDS = 20000;

  const script = document.currentScript;
  const globalName = (script && script.dataset.globalSegmentAnalyticsKey) || "analytics";
  const stub = window[globalName] || [];
  const here = /^(.*\/analytics\.js)\/v1\/([^/]+)\//.exec(script ? script.src : "") || [];
  const cdn = here[1] ? here[1].replace(/\/analytics\.js$/, "") : "";
  const writeKey = stub._writeKey || decodeURIComponent(here[2] || "");
  const folder = here[1] + "/runtime/" + RUNTIME.folder;

  /* When and where a call is made. */
  function note() {
    const canonical = document.querySelector("link[rel='canonical']");
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return {
      __t: "bpc",
      c: (canonical && canonical.getAttribute("href")) || undefined,
      p: location.pathname,
      u: location.href,
      s: location.search,
      t: document.title,
      r: document.referrer,
      at: Date.now(),
      id: "ajs-" + Array.from(bytes, (byte) => (byte + 256).toString(16).slice(1)).join(""),
    };
  }

  function isNote(value) {
    return Boolean(value) && typeof value === "object" && value.__t === "bpc";
  }

  /* The stub's calls, each with its note: a stub that isn't ours notes no time, so it is noted at first sight. */
  const waiting = [];
  function takeUp(call) {
    const [method, ...args] = Array.from(call);
    let noted = isNote(args[args.length - 1]) ? args.pop() : null;
    if (EVENTS.includes(method)) noted = Object.assign(note(), noted);
    waiting.push({ method, args, note: noted });
  }
  if (Array.isArray(stub)) {
    stub.splice(0).forEach(takeUp);
    stub.push = function (...calls) {
      calls.forEach(takeUp);
      return waiting.length;
    };
  }

  function loadScript(name) {
    return new Promise((resolve, reject) => {
      const element = document.createElement("script");
      element.src = folder + name;
      element.crossOrigin = "anonymous";
      element.integrity = RUNTIME.integrity[name] || "";
      element.onload = () => resolve();
      element.onerror = () => reject(new Error("could not load " + name));
      document.head.appendChild(element);
    });
  }

  async function bytes(name) {
    const response = await fetch(folder + name, { integrity: RUNTIME.integrity[name] || "" });
    if (!response.ok) throw new Error(name + ": " + response.status);
    return new Uint8Array(await response.arrayBuffer());
  }

  /* Pyodide never settles where WebAssembly refuses a snapshot's memory. */
  function giveUp(milliseconds) {
    return new Promise((_, reject) => setTimeout(() => reject(new Error("no answer in time")), milliseconds));
  }

  function pyodideOptions(more) {
    return {
      indexURL: folder,
      lockFileContents: { info: RUNTIME.lockInfo, packages: {} },
      stdout: () => {},
      checkAPIVersion: false,
      ...more,
    };
  }

  /* From the snapshot; where the engine can't restore it, the plain way, which takes some three times as long. */
  async function bootPython() {
    const snapshot = bytes("snapshot.bin");
    snapshot.catch(() => {}); // Awaited below: until then a failure is nobody's unhandled rejection.
    await Promise.all([loadScript("pyodide.js"), loadScript("pyodide.asm.js")]);
    try {
      const options = pyodideOptions({ stdLibURL: folder + "empty.zip", _loadSnapshot: await snapshot });
      return await Promise.race([loadPyodide(options), giveUp(RESTORE_MILLISECONDS)]);
    } catch (error) {
      console.warn("[satsuma] The snapshot could not be restored; starting Python the slow way.", error);
      const pyodide = await loadPyodide(pyodideOptions({}));
      pyodide.unpackArchive(await bytes("satsuma.zip"), "zip", { extractDir: "/lib/satsuma" });
      pyodide.runPython("import sys; sys.path.insert(0, '/lib/satsuma')");
      return pyodide;
    }
  }

  async function fetchSettings() {
    const response = await fetch(cdn + "/v1/projects/" + encodeURIComponent(writeKey) + "/settings");
    if (!response.ok) throw new Error("the settings of " + writeKey + " answer " + response.status);
    return response.json();
  }

  /* The object that pages call: analytics.js's names, each answered by Python. */
  function makeFace(event, method, user, group) {
    const face = { initialized: true, SNIPPET_VERSION: stub.SNIPPET_VERSION, _writeKey: writeKey };
    for (const name of EVENTS) face[name] = (...args) => send(event, name, args);
    for (const name of METHODS) {
      face[name] = (...args) => {
        const answer = method(name, args);
        return CHAINED.includes(name) ? face : answer;
      };
    }
    const userFace = makeIdentity(user);
    const groupFace = makeIdentity(group);
    const sendGroup = face.group;
    face.user = () => userFace;
    face.group = (...args) => (args.length ? sendGroup(...args) : groupFace);
    face.ready = async (callback) => {
      if (typeof callback === "function") callback();
    };
    face.push = (call) => {
      const [name, ...args] = Array.from(call);
      if (typeof face[name] === "function") face[name](...args);
    };
    return face;
  }

  function makeIdentity(call) {
    const face = {};
    for (const name of IDENTITY) face[name] = (...args) => call(name, args);
    face.load = () => face;
    return face;
  }

  function send(event, name, args, noted) {
    return new Promise((resolve) => event(name, args, noted || note(), resolve));
  }

  /* Who the visitor is comes first, then listeners, then everything in the order in which it was called. */
  function replay(face, event) {
    const calls = waiting.splice(0);
    const early = (call) => ["setAnonymousId", "on", "once", "register", "addSourceMiddleware"].includes(call.method);
    for (const call of [...calls.filter(early), ...calls.filter((call) => !early(call))]) {
      if (call.note) send(event, call.method, call.args, call.note);
      else if (typeof face[call.method] === "function") face[call.method](...call.args);
    }
  }

  async function boot() {
    const started = performance.now();
    const [pyodide, settings] = await Promise.all([bootPython(), fetchSettings()]);
    const install = (event, method, user, group) => {
      const face = makeFace(event, method, user, group);
      face.bootMilliseconds = Math.round(performance.now() - started);
      window[globalName] = face;
      replay(face, event);
      if (Array.isArray(stub)) stub.push = (...calls) => calls.forEach(face.push);
      stub.initialized = true;
    };
    pyodide.pyimport("satsuma.platforms.browser.boot").start({ writeKey, settings, options: stub._loadOptions || {}, install });
  }

  boot().catch((error) => console.warn("[satsuma] Analytics could not start.", error));
})();
