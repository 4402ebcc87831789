/* Satsuma. Notes each call with its time and page until Python is up; paste it as high in <head> as you can. */
!(function (global, document, host, writeKey, options, soon) {
  var name = "analytics", analytics = (global[name] = global[name] || []);
  if (analytics.invoked || analytics.initialized) return;
  analytics.invoked = true;
  analytics.SNIPPET_VERSION = "satsuma-1";
  analytics.methods = ["track", "identify", "page", "screen", "group", "alias", "reset", "ready", "on", "once", "off", "debug",
    "trackLink", "trackForm", "trackClick", "trackSubmit", "pageview", "setAnonymousId", "register", "deregister",
    "addSourceMiddleware", "addDestinationMiddleware", "addIntegrationMiddleware", "consent"];
  /*NOTE*/
  /*LEAVE*/
  function left() {
    if (global[name] === analytics) leave(analytics, host, analytics._writeKey, analytics._early, analytics._loadOptions || {});
  }
  global.addEventListener("pagehide", left);
  document.addEventListener("visibilitychange", function () { if (document.visibilityState === "hidden") left(); });
  analytics.methods.forEach(function (method, index) {
    analytics[method] = function () {
      if (global[name] !== analytics) return global[name][method].apply(global[name], arguments);
      var call = [method].concat([].slice.call(arguments));
      if (index < 6) call.push(note());
      analytics.push(call);
      if (analytics._early && analytics.length) keep(analytics, analytics._early, analytics._loadOptions || {});
      return analytics;
    };
  });
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
  analytics.load = function (key, options) {
    if (global.WebAssembly && global.crypto && crypto.subtle && !(options && options.worker)) soon.forEach(askFor);
    var script = document.createElement("script");
    script.async = true;
    script.src = host + "/analytics.js/v1/" + encodeURIComponent(key) + "/analytics.min.js";
    analytics._writeKey = key;
    analytics._early = EARLY + key + ":" + newId();
    analytics._loadOptions = options;
    document.head.appendChild(script);
  };
  /* Options of its own: <script src="…/snippet.js?writeKey=…" data-options='{"consent": "required"}'> */
  var script = document.currentScript, own = script && script.dataset.options;
  try {
    if (own) options = JSON.parse(own);
  } catch (error) {
    console.warn("[satsuma] data-options is not JSON and is passed over.", error);
  }
  analytics.load(writeKey, options);
  analytics.page();
})(window, document, __HOST__, __WRITE_KEY__, __OPTIONS__, __SOON__);
