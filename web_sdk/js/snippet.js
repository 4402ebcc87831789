/* Satsuma. Notes each call with its time and page until Python is up; paste it as high in <head> as you can. */
!(function (global, host, writeKey, options, soon) {
  var intrinsics, Date, JSON, Promise, document, localStorage, setTimeout;
  /*INTRINSICS*/
  /*VALUES*/
  /*CALL_RECORD*/
  /*JOURNAL*/
  /*BEACON*/
  /*EARLY*/
  /*TRUST*/
  /*REGISTRATION*/
  var METHODS = EVENTS.concat("reset", "ready", "on", "once", "off", "debug",
    "trackLink", "trackForm", "trackClick", "trackSubmit", "pageview", "setAnonymousId", "register", "deregister",
    "addSourceMiddleware", "addDestinationMiddleware", "addIntegrationMiddleware", "consent");
  function trust(url) {
    return trusted(global, document, host, url);
  }
  function warn(text, error) {
    console.warn("[satsuma] " + text, error || "");
  }
  function start() {
    intrinsics = takeIntrinsics(global);
    Date = intrinsics.Date;
    JSON = intrinsics.JSON;
    Promise = intrinsics.Promise;
    document = intrinsics.document;
    localStorage = intrinsics.localStorage;
    setTimeout = intrinsics.setTimeout;
    /* Options of its own: <script src="…/snippet.js?writeKey=…" data-options='{"consent": "required"}'> */
    var script = document.currentScript, own = (script && script.dataset) || {};
    try {
      if (own.options) options = JSON.parse(own.options) || {};
    } catch (error) {
      warn("data-options is not JSON and is passed over.", error);
    }
    var name = own.globalSegmentAnalyticsKey || options.globalAnalyticsKey || "analytics";
    /* An element of that id is no property of the window's own: nobody misses it. */
    var taken = Object.prototype.hasOwnProperty.call(global, name) && global[name];
    if (!taken || (Array.isArray(taken) && !taken.invoked)) install(name, (global[name] = taken || []));
    else if (taken._writeKey !== writeKey)
      warn("window." + name + " is taken, by another library or another source: the source " + writeKey +
        " is not loaded. Give it a name of its own by the option globalAnalyticsKey.");
  }
  /* Of the page's options those that can be looked at. */
  function readableOptions(options) {
    var own = {};
    intrinsics.Object.keys(options).forEach(function (name) {
      try {
        own[name] = options[name];
      } catch (error) {
        warn("The option " + name + " can't be read.", error);
      }
    });
    return own;
  }
  /* Why Python is to stay at the collector until something asks for it: bytes or memory are dear here, and the page has not said
     where Python is to be. Of the slow connections that browsers tell of, 3g is the fastest: 0.7 Mbit/s at most. */
  function scarce(options) {
    var network = navigator.connection || {};
    if (options.python || options.worker || options.early === false) return "";
    return network.saveData ? "save-data" : /[23]g/.test(network.effectiveType) ? "slow connection" : navigator.deviceMemory <= 1 ? "little memory" : "";
  }
  function install(name, analytics) {
    var again;
    options = readableOptions(options);
    var end = watchEnd(global, left);
    function left() {
      if (analytics._early) leave(analytics, host, analytics._writeKey, analytics._early, analytics._loadOptions || {}, end.gone);
    }
    function alone(text, error) {
      warn(text + ": calls go to the collector as they are, and nothing is answered.", error);
      again = goAlone(analytics, left);
    }
    analytics.invoked = true;
    analytics.SNIPPET_VERSION = "satsuma-1";
    analytics.methods = METHODS;
    analytics._intrinsics = intrinsics;
    analytics._texts = texts;
    analytics.push = function () {
      [].forEach.call(arguments, function (call) {
        if (!admits(call)) return;
        analytics[analytics.length] = call;
        if (analytics._early) keepSoon(analytics, analytics._early, analytics._loadOptions || {});
        if (__WITH_EARLY__ && analytics._sender) analytics._sender.soon();
        if (again) again();
        if (end.gone) left();
      });
      return analytics.length;
    };
    METHODS.forEach(function (method) {
      analytics[method] = function () {
        var face = analytics._face;
        if (face) return face[method].apply(face, arguments);
        analytics.push(recorded(method, arguments));
        return analytics;
      };
    });
    /* A page that has to ask first (the option `load: false`) loads later, perhaps with more options. */
    analytics.load = function (key, more) {
      var own = intrinsics.Object.assign({}, options, readableOptions(more || {}));
      key = key || writeKey;
      if ((analytics._scarce = scarce(own))) own.python = "collector";
      if (global.WebAssembly && global.crypto && crypto.subtle && !own.worker && !own.early && (own.python || "page") === "page") soon.forEach(askFor);
      var script = document.createElement("script");
      script.async = true;
      if (name !== "analytics") script.dataset.globalSegmentAnalyticsKey = name;
      analytics._writeKey = key;
      analytics._early = EARLY + key + ":" + newId();
      analytics._loadOptions = own;
      if (__WITH_SERVICE__) analytics._service = registerService(intrinsics, trust, host, key, analytics._early, own);
      if (__WITH_EARLY__) {
        analytics._sender = makeEarlySender(analytics, host, key, analytics._early, own);
        /* What earlier pages have left comes first. */
        if (!analytics._sender.over && !unopened(own))
          analytics.unshift.apply(analytics, leftBehind(key, analytics._early));
        if (analytics.length) keepSoon(analytics, analytics._early, own);
      }
      script.onerror = function () { alone("The script of the source " + key + " could not be loaded"); };
      function ask() {
        try {
          script.src = trust(host + "/analytics.js/v1/" + encodeURIComponent(key) + "/analytics.min.js");
          document.head.appendChild(script);
        } catch (error) {
          alone("Python could not start", error);
        }
      }
      /* The page's first calls go before anything else is asked for. */
      if (__WITH_EARLY__) analytics._sender.soon(ask);
      else ask();
    };
    if (options.load !== false) analytics.load();
    /* An app that counts its views itself says so. */
    if (options.initialPageview !== false) analytics.page();
  }
  /* Where there is no WebCrypto the loader has the browser check these files, and a preload of them would not be theirs; nor
     would it be a worker's. */
  function askFor(path) {
    var link = document.createElement("link");
    link.rel = "preload";
    link.as = "fetch";
    link.crossOrigin = "anonymous";
    link.href = host + path;
    document.head.appendChild(link);
  }
  try {
    start();
  } catch (error) {
    warn("The page can't be tracked.", error);
  }
})(window, __HOST__, __WRITE_KEY__, __OPTIONS__, __SOON__);
