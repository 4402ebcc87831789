/* Satsuma for apps that are built by a bundler: Segment's AnalyticsBrowser, on top of the very snippet that other pages paste.
   The build puts the snippet, what makes the record of a call, and what else the package exports in place of the marks. */

/* The snippet, whose placeholders are the names of these parameters. */
function runSnippet(__HOST__, __WRITE_KEY__, __OPTIONS__, __SOON__) {
  /*SNIPPET*/
}

/* The snippet makes the same records with the built-in objects as it finds them. */
const intrinsics = globalThis;
/*CALL_RECORD*/

const ANSWERED = ["alias", "identify", "page", "screen", "track", "reset", "ready", "trackSubmit", "trackClick", "trackLink", "trackForm",
  "pageview", "setAnonymousId", "register", "deregister", "addSourceMiddleware", "addDestinationMiddleware", "consent"];
const CHAINED = ["on", "once", "off", "debug"];
const AT_ONCE = ["user", "flush", "delivery"];
const MOST_WAITING = 1000; // Calls before load() is called; from then on the snippet has its own bounds.
const NO_PAGE = "[satsuma] AnalyticsBrowser needs a page: on a server nothing is tracked with it. Use an SDK for servers there.";

let globalKey = "analytics"; // Of the source that was loaded last.

/** Where nobody has said how calls are answered, a rejection is no error of the page's. */
function later(promise) {
  promise.catch(() => {});
  return promise;
}

/** The name of the page's global: what is asked for, or `analytics`; one of its own where that name is somebody else's. */
function globalName(writeKey, asked) {
  const name = asked || "analytics";
  const taken = Object.prototype.hasOwnProperty.call(window, name) ? window[name] : undefined;
  const free = !taken || (Array.isArray(taken) && !taken.invoked) || taken._writeKey === writeKey;
  return free || asked ? name : `satsuma:${writeKey}`;
}

/** Analytics of one source: takes calls at once, and answers them when Python is up. */
export class AnalyticsBrowser {
  #waiting = [];
  #source;
  #loaded;
  #started;

  constructor() {
    this.#loaded = later(new Promise((resolve, reject) => (this.#started = { resolve, reject })));
    for (const name of ANSWERED) this[name] = (...args) => this.#ask(name, args);
    for (const name of CHAINED) this[name] = (...args) => (this.#ask(name, args), this);
    for (const name of AT_ONCE) this[name] = () => later(this.#loaded.then(([analytics]) => analytics[name]()));
    this.group = (...args) => (args.length ? this.#ask("group", args) : later(this.#loaded.then(([analytics]) => analytics.group())));
    this.pageView = this.pageview;
    if (typeof window === "undefined") this.#started.reject(new Error(NO_PAGE));
  }

  static load(settings, options) {
    return new AnalyticsBrowser().load(settings, options);
  }

  static standalone(writeKey, options) {
    return AnalyticsBrowser.load({ writeKey }, options).then(([analytics]) => analytics);
  }

  load({ writeKey, cdnURL = "", plugins = [], classicIntegrations = [], cdnSettings }, options = {}) {
    if (this.#source || typeof window === "undefined") return this;
    const globalAnalyticsKey = (globalKey = globalName(writeKey, options.globalAnalyticsKey));
    runSnippet(cdnURL.replace(/\/+$/, ""), writeKey, {
      ...options,
      globalAnalyticsKey,
      // The snippet itself calls page() unless it is told not to; here it is the other way round, as in analytics-next.
      initialPageview: options.initialPageview ? undefined : false,
    }, []);
    const source = window[globalAnalyticsKey];
    if (!source || source._writeKey !== writeKey) {
      this.#started.reject(new Error(`[satsuma] window.${globalAnalyticsKey} is taken: give the source ${writeKey} another globalAnalyticsKey.`));
      return this;
    }
    this.#source = source;
    // The loader finds these at the source: they are the app's own, and no options.
    const isFactory = (plugin) => typeof plugin === "function";
    source._given ??= {
      settings: cdnSettings,
      factories: plugins.filter(isFactory),
      classic: classicIntegrations,
      refuse: (error) => this.#started.reject(error),
    };
    const file = `/analytics.js/v1/${encodeURIComponent(writeKey)}/analytics.min.js`;
    const script = [...document.scripts].find(({ src }) => src.endsWith(file));
    script?.addEventListener("error", () => this.#started.reject(new Error(`[satsuma] ${script.src} could not be loaded.`)));
    const own = plugins.filter((plugin) => !isFactory(plugin));
    if (own.length) this.register(...own);
    this.#waiting.splice(0).forEach((call) => this.#hand(call));
    this.#ask("ready", []).then(async () => {
      this.instance = this.#face();
      this.ctx = await this.instance.register();
      this.#started.resolve([this.instance, this.ctx]);
    }, this.#started.reject);
    return this;
  }

  then(fulfilled, rejected) {
    return this.#loaded.then(fulfilled, rejected);
  }

  catch(rejected) {
    return this.#loaded.catch(rejected);
  }

  finally(done) {
    return this.#loaded.finally(done);
  }

  get VERSION() {
    return "__VERSION__";
  }

  /** The source's window.analytics, once Python is up. */
  #face() {
    return this.#source._face || (this.#source.initialized && !Array.isArray(this.#source) ? this.#source : undefined);
  }

  #ask(method, args) {
    if (typeof window === "undefined") return this.#loaded;
    const call = recorded(method, args);
    const answer = later(new Promise((resolve) => (call.answer = resolve)));
    if (this.#source) this.#hand(call);
    else if (this.#waiting.length < MOST_WAITING) this.#waiting.push(call);
    else console.warn(`[satsuma] load() was not called yet, and ${MOST_WAITING} calls wait: '${method}' is dropped.`);
    return answer;
  }

  #hand(call) {
    const face = this.#face();
    if (!face) return void this.#source.push(call);
    const [method, ...args] = call;
    try {
      call.answer(face[method](...args));
    } catch (error) {
      call.answer(Promise.reject(error));
    }
  }
}

/*BUILDING_BLOCKS*/
