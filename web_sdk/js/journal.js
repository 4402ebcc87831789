/* The journal of a page: its calls are kept in localStorage as they are made, for the page that comes next. The text of a
   call is made once. A few calls are all written anew at each; many where their number has grown by an eighth, and else a
   moment later, so that they cost no more than a few writes of all of them. As a tab is closed it may be too late: what
   Firefox's pages write then is lost. */
var EARLY = "satsuma_early:", WHO = ["identify", "group", "alias", "reset", "setAnonymousId", "consent"];
var MOST_KEPT = 200, MOST_KEPT_CHARACTERS = 500000, MOST_HELD_CHARACTERS = 2000000, LONGEST_CALL = 50000, FEW = 24, FEW_CHARACTERS = 40000, SOON_MILLISECONDS = 100, ORPHANED = 6000;
var held = 0, written = 0, due = false, full = false;
function tellsWho(call) {
  return WHO.indexOf(call[0]) > -1;
}
/* A call that is larger than anything that can be sent is written without what makes it so large. */
function textOf(call) {
  function written(most) {
    return "[" + [].slice.call(call).map(function (part) {
      if (typeof part === "string") call.size += part.length;
      return (!most && texts.get(part)) || jsonOf(part, null, most) || "null";
    }).join() + "]";
  }
  if (call.text === undefined) {
    call.size = 0;
    call.text = written();
    call.size += call.text.length;
    if (call.text.length > LONGEST_CALL) call.text = written(LONGEST_CALL >> 3);
  }
  return call.text;
}
/* Whether a page that has no Python holds one call more. Calls that say who the visitor is have as much room again. What is
   held of an event is a copy within bounds: what the page does to its own objects later, or how much they hold, is its own. */
function admits(call) {
  for (var i = 1; i < call.length && EVENTS.indexOf(call[0]) > -1; i++)
    if (!isNote(call[i])) call[i] = readable("analytics." + call[0] + ", argument " + i, call[i]);
  textOf(call);
  var size = call.size;
  if (held + size > MOST_HELD_CHARACTERS * (tellsWho(call) ? 2 : 1)) {
    if (!full) console.warn("[satsuma] More calls wait for Python than a page can hold: this call, '" + call[0] + "', and others that find no room are dropped.");
    full = true;
    return false;
  }
  held += size;
  return true;
}
/* The newest calls of which some tell who the visitor is, and within bounds: those first, and all in their order. */
function newest(calls, most, characters, others) {
  var chosen = [];
  function choose(who) {
    for (var i = calls.length - 1; i >= 0 && most; i--) {
      var size = textOf(calls[i]).length;
      if (tellsWho(calls[i]) !== who || !size || size > characters) continue;
      chosen[i] = calls[i];
      characters -= size;
      most--;
    }
  }
  choose(true);
  if (others) choose(false);
  return chosen.filter(Boolean);
}
/* Keep calls for the next page; it takes them at once where this one has left, and else when nothing is heard of it. */
function keep(calls, key, options, left) {
  written = calls.length;
  due = false;
  calls = calls.filter(function (call) { return !call.made; });
  if (options.disableClientPersistence) return;
  try {
    if (calls.length && !refuses(calls, options)) {
      var texts = newest(calls, MOST_KEPT, MOST_KEPT_CHARACTERS, true).map(textOf);
      localStorage.setItem(key, '{"at":' + (left ? 0 : Date.now()) + ',"calls":[' + texts.join(",") + "]}");
    } else localStorage.removeItem(key);
  } catch (error) { /* Full or forbidden: only this page remembers. */ }
}
/* What visitors of earlier pages did before Python was up. A page that is still there keeps what it has noted. */
function leftBehind(writeKey, own) {
  var found = [];
  try {
    storedNames(/^satsuma_early:/).forEach(function (name) {
      if (name.indexOf(EARLY + writeKey + ":") || name === own) return;
      var entry = JSON.parse(localStorage.getItem(name));
      if (Date.now() - entry.at < ORPHANED) return;
      localStorage.removeItem(name);
      /* An answer is that page's: who has said no there may have said yes since. */
      entry.calls.forEach(function (call) { if (call[0] !== "consent") found[found.length] = call; });
    });
  } catch (error) { /* No localStorage, or nonsense in it: what was found is what there is. */ }
  return found;
}
/* Keep calls of which the last one is new. */
function keepSoon(calls, key, options) {
  if ((calls.length <= FEW && held < FEW_CHARACTERS) || calls.length >= written * 1.125 || calls[calls.length - 1][0] === "consent") return keep(calls, key, options);
  if (due) return;
  due = true;
  /* Once the loader has taken a stub's calls, what is kept is the loader's. */
  setTimeout(function () { if (due && calls.length) keep(calls, key, options); }, SOON_MILLISECONDS);
}
