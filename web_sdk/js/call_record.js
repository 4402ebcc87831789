var EVENTS = ["track", "identify", "page", "screen", "group", "alias"];
/* When and where a call is made, and the messageId that it keeps over every retry. */
function note() {
  var canonical = document.querySelector("link[rel='canonical']");
  return { __t: "bpc", c: (canonical && canonical.getAttribute("href")) || undefined, p: location.pathname, u: location.href,
    s: location.search, t: document.title, r: document.referrer, at: Date.now(), id: "ajs-" + newId().replace(/-/g, "") };
}
/* A call as it waits for Python. A reset brings the next anonymousId, so that all who make this call choose the same one. */
function recorded(method, args) {
  var call = [method].concat([].slice.call(args));
  if (EVENTS.indexOf(method) > -1) call.push(note());
  return method === "reset" ? [method, { next: newId() }] : call;
}
function newId() {
  var bytes = intrinsics.crypto.getRandomValues(new Uint8Array(16)), text = "";
  bytes[6] = (bytes[6] & 15) | 64;
  bytes[8] = (bytes[8] & 63) | 128;
  for (var i = 0; i < 16; i++) text += (bytes[i] + 256).toString(16).slice(1);
  return text.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
