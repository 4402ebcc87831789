/* With the option `early`, calls go to the collector as soon as they are made, while Python is not up: it makes events of them
   by the same rules, and its answer tells what they have made of the visitor, which is written here. One request at a time,
   so that each tells what the one before has made. What can't go this way waits for Python, with all that is called later. */
function makeEarlySender(calls, host, writeKey, key, options) {
  var sender = { calls: calls, soon: soon, end: end, over: !options.early || needsPython(), underWay: null }, due = false;
  /* Another place for events, or other places for the visitor, are Python's to find. Where nothing may be kept there is no
     writing down what the answer says. */
  function needsPython() {
    var own = (options.integrations || {})["Segment.io"];
    return options.updateCDNSettings || Object(own) === own || options.disableClientPersistence || options.storage || options.user || options.group;
  }
  /* When the scripts that run now have ended, so that plugins which these register see their calls. `then` is what comes after
     that. */
  function soon(then) {
    if (sender.over && sender.give) sender.give();
    if (sender.over || due || sender.underWay) return then && then();
    due = true;
    setTimeout(function () {
      due = false;
      try { go(); } catch (error) { sender.over = true; }
      if (then) then();
    }, 0);
  }
  function go() {
    if (sender.over || refuses(sender.calls, options)) return;
    if (needPage(sender.calls, options)) return void (sender.over = true);
    var part = portion(sender.calls);
    if (!part) return;
    var about = aboutVisitor(writeKey, options);
    about.answer = true;
    var body = bodyOf(about, part);
    if (body.length > LONGEST_CALL + 10000) return void (sender.over = true);
    var fresh = part.filter(function (call) { return !call.left; });
    fresh.forEach(function (call) { call.left = call.unanswered = true; });
    sender.underWay = intrinsics.fetch(host + "/v1/early", { method: "POST", body: body, keepalive: true }).then(function (response) {
      if (!response.ok) throw response;
      return response.text();
    }).then(function (text) { take(part, text ? JSON.parse(text) : {}, about); }).catch(function () {
      sender.over = true;
      fresh.forEach(function (call) { call.left = false; });
    }).then(function () {
      fresh.forEach(function (call) { call.unanswered = false; });
      sender.underWay = null;
      soon();
    });
  }
  /* The calls that have not gone, as many as find room, behind those that say who the visitor is and have no answer yet. */
  function portion(calls) {
    var count = 0, characters = 0, fresh = 0;
    var part = calls.filter(function (call) {
      if (call.made || !textOf(call) || (call.left && !tellsWho(call))) return false;
      count++;
      characters += textOf(call).length;
      if (count > MOST_CALLS || characters > LONGEST_CALL) return false;
      fresh += !call.left;
      return true;
    });
    return fresh && part;
  }
  /* What the request has told stands yet: a server, another tab or a logout may have written in the meantime. */
  function stands(cookie, cookies) {
    var name = cookie.slice(0, cookie.indexOf("=") + 1);
    function shown(text) { return text.split("; ").filter(function (pair) { return pair.indexOf(name) === 0; }).join(); }
    return shown(document.cookie) === shown(cookies);
  }
  function take(part, told, about) {
    if (sender.over) return;
    var events = {}, visitor = told.visitor || {}, items = visitor.items || {};
    /* Where this fails, the calls have not been made: Python makes them, and remembers in memory. */
    (visitor.cookies || []).forEach(function (cookie) { if (stands(cookie, about.cookies)) document.cookie = cookie; });
    intrinsics.Object.keys(items).forEach(function (name) {
      if (localStorage.getItem(name) !== (name in about.storage ? about.storage[name] : null)) return;
      if (items[name] === null) localStorage.removeItem(name);
      else localStorage.setItem(name, items[name]);
    });
    (told.events || []).forEach(function (event) { events["." + event.messageId] = event; });
    part.forEach(function (call) {
      var note = call[call.length - 1];
      /* Whether the visitor consents, Python has to hear itself. */
      if (note && note.__t) call.made = events["." + note.id];
      else if (told.visitor && call[0] !== "consent") call.made = tellsWho(call);
    });
    keep(sender.calls, key, options);
  }
  /* Python is up: it waits a moment for an answer that is under way, and is told no other. */
  function end(milliseconds) {
    function over() { sender.over = true; }
    return Promise.race([sender.underWay, new Promise(function (go) { setTimeout(go, milliseconds); })]).then(over, over);
  }
  return sender;
}
