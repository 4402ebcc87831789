/* A visitor who leaves before Python is up: the calls made so far go to the collector by beacon, with the identity that
   cookies and localStorage tell; where that can't be, they wait in localStorage for the next page. A call may go both ways,
   and once more when Python comes up after all: the collector keeps each messageId once. */
function leave(calls, host, writeKey, options) {
  var fresh = calls.filter(function (call) { return !call.left; });
  var named = function (names) { return calls.some(function (call) { return names.indexOf(call[0]) > -1; }); };
  var refused = (options.respectGlobalPrivacyControl && navigator.globalPrivacyControl === true) ||
    (options.respectDoNotTrack && navigator.doNotTrack === "1") || (options.consent === "required" && !named(["consent"]));
  if (!fresh.length || refused || options.disable) return;
  var keeps = !options.disableClientPersistence, storage = {}, cookies = "", domain = "";
  try {
    cookies = document.cookie.split("; ").filter(function (pair) { return /^(ajs_|_sio=|s%3Acontext)/.test(pair); }).join("; ");
    domain = topDomain();
    if (keeps && !options.storage && !/ajs_anonymous_id=|_sio=|ajs_user=/.test(cookies) && !localStorage.getItem("ajs_anonymous_id"))
      localStorage.setItem("ajs_anonymous_id", JSON.stringify(newId()));
    for (var key in localStorage) if (/^ajs_/.test(key)) storage[key] = localStorage.getItem(key);
  } catch (error) { /* No cookies or no localStorage: the collector makes do with the rest. */ }
  var texts = fresh.map(function (call) {
    call.left = true;
    try { return JSON.stringify([].slice.call(call)); } catch (error) { return null; }
  }).filter(Boolean);
  var about = JSON.stringify({ writeKey: writeKey, sentAt: new Date().toISOString(), cookies: cookies, storage: storage, domain: domain,
    options: options, locale: navigator.language, timezone: Intl.DateTimeFormat().resolvedOptions().timeZone });
  // What plugins of the page would have to see can only be sent by a page.
  var plugged = options.pythonPlugins || named(["register", "addSourceMiddleware", "addDestinationMiddleware"]);
  var body = about.slice(0, -1) + ',"calls":[' + texts.join(",") + "]}";
  if (!plugged && navigator.sendBeacon && navigator.sendBeacon(host + "/v1/early", body)) return;
  try {
    if (keeps) localStorage.setItem("satsuma_early:" + writeKey, "[" + texts.slice(-200).join(",") + "]");
  } catch (error) { /* Full or forbidden: nothing more can be done. */ }
}
function newId() {
  var bytes = crypto.getRandomValues(new Uint8Array(16)), text = "";
  bytes[6] = (bytes[6] & 15) | 64;
  bytes[8] = (bytes[8] & 63) | 128;
  for (var i = 0; i < 16; i++) text += (bytes[i] + 256).toString(16).slice(1);
  return text.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
/* The highest domain that takes a cookie, as the SDK finds it. */
function topDomain() {
  var parts = location.hostname.split(".");
  if (parts.length < 2 || (parts.length === 4 && parts[3] > 0)) return "";
  for (var i = parts.length - 2; i >= 0; i--) {
    var domain = parts.slice(i).join(".");
    document.cookie = "__tld__=1; domain=." + domain;
    if (/(^|; )__tld__=/.test(document.cookie)) {
      document.cookie = "__tld__=; domain=." + domain + "; expires=Thu, 01 Jan 1970 00:00:00 GMT";
      return domain;
    }
  }
  return "";
}
