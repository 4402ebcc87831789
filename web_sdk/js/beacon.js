/* A visitor who leaves before Python is up: the calls made so far go to the collector by beacon as the page goes, with the
   identity that cookies and localStorage tell. A call may go this way, by the journal, and once more when Python comes up
   after all: the collector keeps each messageId once. So calls that say who the visitor is go along each time. */
var MOST_CALLS = 200, MOST_ALONG = 50, MOST_ALONG_CHARACTERS = 20000, ALONE_MILLISECONDS = 1000, LONGEST_PAUSE = 10000, OURS = /^(ajs_|satsuma_generation)/;
var nextId = newId; /* The anonymousId of a visitor who has none; a worker may have been told of one. */
/* A page that the browser prepares in advance, should the visitor open it next, is no visit before that. */
function unopened(options) {
  return document.prerendering && !options.trackPrerendering;
}
function refuses(calls, options) {
  return unopened(options) || options.disable || (options.respectGlobalPrivacyControl && navigator.globalPrivacyControl === true) ||
    (options.respectDoNotTrack && navigator.doNotTrack === "1") || lacksConsent(calls, options);
}
/* The visitor's last word counts; a no is one too. */
function lacksConsent(calls, options) {
  var answer = calls.filter(function (call) { return call[0] === "consent"; }).pop();
  return answer ? answer[1] !== undefined && !answer[1] : options.consent === "required";
}
function named(calls, names) {
  return calls.some(function (call) { return names.indexOf(call[0]) > -1; });
}
/* Calls `left` as the page is hidden or left. While it may be `gone`, calls are handed over as they are made: no later task of
   it runs, and what went before may be under way still. */
function watchEnd(global, left) {
  var end = { gone: false }, away = false;
  function go() {
    end.gone = true;
    left();
  }
  global.addEventListener("pagehide", function () { away = true; go(); });
  global.addEventListener("pageshow", function () { away = end.gone = false; });
  document.addEventListener("visibilitychange", function () {
    if (document.visibilityState !== "hidden") return;
    go();
    setTimeout(function () { end.gone = away; }, 0);
  });
  return end;
}
function leave(calls, host, writeKey, key, options, gone) {
  if (!calls.some(function (call) { return !call.left || call.unanswered; }) || refuses(calls, options)) return;
  var about = aboutVisitor(writeKey, options), again = calls.filter(function (call) { return (gone || call.unanswered) && call.left && !call.made; });
  /* What is repeated keeps its place: nothing overtakes it where its first request fails. The collector keeps each call once. */
  again = newest(again, MOST_CALLS, MOST_ALONG_CHARACTERS, true);
  if (calls.before) about.events = calls.before(MOST_ALONG_CHARACTERS);
  // The beacon comes first: a browser that has waited for a busy page may end it at any moment now.
  if (!needPage(calls, options))
    hand(calls.filter(function (call) { return !call.left || again.indexOf(call) > -1 || (tellsWho(call) && !call.made); }), 0, calls.length, host, about);
  keep(calls, key, options, true);
  // Kept once: the next page may take these calls, and log the visitor out, before this one is closed.
  calls.forEach(function (call) { call.unanswered = false; });
}
/* What plugins of the page would have to see can only be sent by a page. */
function needPage(calls, options) {
  return options.pythonPlugins || options.holdsBack || named(calls, ["register", "addSourceMiddleware", "addDestinationMiddleware"]);
}
/* What the collector has to know of the visitor to make events of calls. */
function aboutVisitor(writeKey, options) {
  var keeps = !options.disableClientPersistence && !options.storage, storage = {}, cookies = "", domain = "";
  try {
    cookies = document.cookie.split("; ").filter(function (pair) { return /^(ajs_|satsuma_|_sio=|s%3Acontext)/.test(pair); }).join("; ");
    domain = topDomain();
    if (keeps && !/ajs_anonymous_id=|_sio=|ajs_user=/.test(cookies)) {
      followLogout(cookies);
      if ((localStorage.getItem("ajs_anonymous_id") || "null") === "null") localStorage.setItem("ajs_anonymous_id", JSON.stringify(nextId()));
    }
    storedNames(OURS).forEach(function (name) { storage[name] = localStorage.getItem(name); });
  } catch (error) { /* No cookies or no localStorage: the collector makes do with the rest. */ }
  return { writeKey: writeKey, sentAt: new Date().toISOString(), cookies: cookies, storage: storage, domain: domain,
    options: JSON.parse(jsonOf(options) || "{}"), locale: navigator.language, timezone: timezone() };
}
/* Intl loads its tables of dates first: in a page that is just coming up, more work than all else here together. */
function timezone() {
  return quietly(function () { return Temporal.Now.timeZoneId(); }) || Intl.DateTimeFormat().resolvedOptions().timeZone;
}
/* What is posted of calls: their texts are there already. */
function bodyOf(about, calls) {
  return JSON.stringify(about).slice(0, -1) + ',"calls":[' + calls.map(textOf).filter(Boolean).join(",") + "]}";
}
/* Where another origin of the site has logged the visitor out, this one remembers somebody else; Python finds the same. */
function followLogout(cookies) {
  var name = "satsuma_generation", shared = (/satsuma_generation=(\d+)/.exec(cookies) || [])[1];
  if (!(shared > Number(localStorage.getItem(name)))) return;
  storedNames(OURS).forEach(function (name) { localStorage.removeItem(name); });
  localStorage.setItem(name, shared);
}
/* The calls that say who the visitor is and go along with each portion. */
function along(calls) {
  return newest(calls, MOST_ALONG, MOST_ALONG_CHARACTERS);
}
/* Browsers take 64 KB of beacons at a time, and the collector 200 calls of each. What is more goes in portions, as many as
   they take, each with the calls that say who the visitor is; the rest is the next page's. Returns false where there is no
   room for anything more. */
function hand(calls, from, to, host, about, who) {
  who = who || along(calls);
  var part = calls.filter(function (call, index) { return (index >= from && index < to) || who.indexOf(call) > -1; });
  if (part.every(function (call) { return call.left; })) return true;
  var body = "", middle = (from + to) >> 1;
  if (part.length <= MOST_CALLS) {
    body = bodyOf(about, part);
    if (intrinsics.sendBeacon && intrinsics.sendBeacon(host + "/v1/early", body)) {
      part.forEach(function (call) { call.left = true; });
      return true;
    }
    /* Ids are short; traits may be larger than all that a beacon can carry. */
    var large = Object.keys(about.storage).filter(function (name) { return about.storage[name].length > 2000; });
    if (large.length) {
      large.forEach(function (name) { delete about.storage[name]; });
      return hand(calls, from, to, host, about, who);
    }
  }
  if (to - from < 2) return body.length > 60000;
  return hand(calls, from, middle, host, about, who) && hand(calls, middle, to, host, about, who);
}
/* Where Python will never come up in this page: what there is goes now, and each second what has come since or found no room.
   What has gone is held on to for the next page, as far as the journal keeps it. Returns what each further call asks for. */
function goAlone(calls, left) {
  var pause = ALONE_MILLISECONDS, asked = false;
  function waiting() {
    return calls.filter(function (call) { return !call.left; }).length;
  }
  function go() {
    var before = waiting();
    asked = false;
    if (navigator.onLine !== false) left();
    pause = !before || waiting() < before ? ALONE_MILLISECONDS : Math.min(2 * pause, LONGEST_PAUSE);
    forgetGone(calls);
    if (waiting()) again();
  }
  function again() {
    if (!asked) setTimeout(go, pause);
    asked = true;
  }
  window.addEventListener("online", go);
  go();
  return again;
}
function forgetGone(calls) {
  var who = along(calls), from = calls.length - MOST_KEPT;
  var rest = calls.filter(function (call, index) { return !call.left || call.unanswered || index >= from || who.indexOf(call) > -1; });
  calls.length = 0;
  held = 0;
  rest.forEach(function (call) {
    calls[calls.length] = call;
    held += call.size;
  });
}
/* By number: for..in and, where a page replaced it, Object.keys also find what it added to prototypes. */
function storedNames(pattern) {
  for (var names = [], i = 0, name; (name = localStorage.key(i)) !== null; i++) if (pattern.test(name)) names.push(name);
  return names;
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
