/* With `python: "service"` the site's service worker is asked for as soon as there is a page. One that is there, or is being
   installed, is also given what goes by beacon when the page is left: it learns whether that has arrived, and tries again. Once
   its Python knows the page (`page` is set), it has the calls already, behind earlier ones, and no beacon may overtake those;
   what is called after the page has said that it goes (`late`) it has not, and that is sent behind those (`after`). */
function registerService(intrinsics, trust, host, writeKey, key, options) {
  var container = navigator.serviceWorker, sendBeacon = intrinsics.sendBeacon, number = 0, service = { page: "", late: false };
  if (options.python !== "service" || !container) return undefined;
  function whole(path) { return new URL(path, location.href); }
  var collectors = whole(host + "/analytics.js/v1/" + encodeURIComponent(writeKey) + "/service.js");
  var address = whole(options.serviceWorker || (collectors.origin === location.origin ? collectors : "/satsuma-service.js"));
  function workers(registration) {
    return [registration.active, registration.waiting, registration.installing].filter(Boolean);
  }
  /* A policy of ours knows the collector's scripts only. */
  function script() {
    try { return trust(address.href); } catch (error) { return address.href; }
  }
  /* A service worker of the site's that has our line in it is used as it is. Ours has a scope of its own, in which no page
     lies: it takes no page from another one. To register what is there takes a browser some milliseconds more than to find it. */
  var scope = address.pathname + "/";
  service.registration = Promise.all([container.getRegistration(), container.getRegistration(scope)]).then(function (there) {
    return there.find(function (one) { return one && workers(one).some(function (worker) { return worker.scriptURL === address.href; }); }) ||
      container.register(script(), { scope: scope });
  });
  service.registration.then(function (found) {
    intrinsics.sendBeacon = function (url, body) {
      var known = service.page, taken = known || sendBeacon(url, body);
      var given = { key: key + ":" + ++number, page: service.late ? "" : known, after: known, url: whole(url).href, body: body, writeKey: writeKey, now: Date.now() };
      try { workers(found)[0].postMessage({ satsuma: key, way: "left", given: given }); } catch (error) { return known ? sendBeacon(url, body) : taken; }
      return Boolean(taken);
    };
  }).catch(function () { /* Whoever asks hears of it. */ });
  return service;
}
