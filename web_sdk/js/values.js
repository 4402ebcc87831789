/* The JSON of a value of the page's, whatever it is: what JSON.stringify writes, within bounds and without what throws. Each
   object is read once; what several places share is written for each of them while there is room. `omit` is told the place of
   each value that is left out, and why; `absent` gets the names of the value's own members that are undefined. The bounds are
   those of satsuma/json_values.py. */
var MOST_CHARACTERS = 65536, MOST_NODES = 10000, DEEPEST = 60, KEPT_ROOM = 2048, MOST_STORED = 1e7, TOO_MUCH = "is too much for an event", UNREADABLE = "can't be read";
function jsonOf(value, omit, most, absent) {
  var room = most || MOST_CHARACTERS, nodes = MOST_NODES, known = new Map();
  function out(path, why) {
    if (omit) omit(path, why || TOO_MUCH);
  }
  /* Whether there is room for one more; where there is none, that is told. */
  function ends(path) {
    if (nodes > 0 && room > 4) return false;
    out(path, "and what follows: " + TOO_MUCH);
    return true;
  }
  /* Takes room for a text; undefined where there is none. */
  function spend(text, path) {
    if (text.length > room) return out(path);
    room -= text.length;
    return text;
  }
  /* As JSON.stringify asks for it: of prototypes' own methods, only that of dates. */
  function plain(value) {
    if (value === null || (typeof value !== "object" && typeof value !== "bigint") || typeof value.toJSON !== "function") return value;
    if (value instanceof Date && value.toJSON === Date.prototype.toJSON) return JSON.parse(JSON.stringify(value));
    return value.toJSON === {}.toJSON || value.toJSON === [].toJSON ? value : value.toJSON();
  }
  function write(holder, name, path, depth) {
    var before = room;
    try {
      if (--nodes < 0) return out(path);
      var given = holder[name], text = known.get(given);
      if (text === null) return out(path, "holds itself");
      return text ? spend(text, path) : whole(given, plain(given), path, depth);
    } catch (error) {
      room = before;
      return out(path, UNREADABLE);
    }
  }
  function whole(given, value, path, depth) {
    if (typeof value === "bigint") {
      out(path, "is a BigInt, and sent as text");
      value = String(value);
    }
    if (value === null || typeof value !== "object" || value instanceof String || value instanceof Number || value instanceof Boolean) {
      if (value && value.length > room) return out(path);
      value = JSON.stringify(value);
      return value && spend(value, path);
    }
    if (depth > DEEPEST) return out(path, "is nested too deeply");
    known.set(given, null).set(value, null);
    room -= 2;
    var text = Array.isArray(value) ? items(value, path, depth) : members(value, path, depth);
    known.set(given, text).set(value, text);
    return text;
  }
  function items(list, path, depth) {
    for (var texts = [], i = 0; i < list.length && !ends(path + "[" + i + "]"); i++) {
      room -= 5; // A comma, and null in the place of what is left out.
      var text = write(list, i, path + "[" + i + "]", depth + 1);
      if (text) room += 4;
      texts[i] = text || "null";
    }
    return "[" + texts.join() + "]";
  }
  /* Parts of a page refer to all of it. Where they say nothing, that is what is told of them. */
  function isPart(value, names) {
    return value.window === value || typeof value.$$typeof === "symbol" ||
      (names.length && value.nodeType > 0 && names.indexOf("nodeType") < 0);
  }
  function members(value, path, depth) {
    if (ArrayBuffer.isView(value) && value.length > nodes) return out(path);
    var names = intrinsics.Object.keys(value), texts = [], inner = [], read = {};
    if (isPart(value, names)) return out(path, "is a part of the page");
    for (var i = 0; i < names.length; i++) {
      var name = names[i], place = path + "." + name.slice(0, 100);
      if (ends(place)) break;
      room--; // A comma.
      try {
        var item = read.item = value[name];
        if (item === undefined && absent && depth < 2) absent.push(name);
        if (name.length > room) out(place);
        else if (item === undefined || typeof item === "function" || typeof item === "symbol") nodes--;
        else if ((name = spend(JSON.stringify(name) + ":", place))) {
          if (item !== null && typeof item === "object") inner.push({ at: i, name: name, item: item, place: place });
          else if ((item = write(read, "item", place, depth + 1))) texts[i] = name + item;
        }
      } catch (error) {
        out(place, UNREADABLE);
      }
    }
    /* What holds others comes last, and leaves room for what follows. */
    inner.forEach(function (one, index) {
      var follows = index < inner.length - 1, keptRoom = follows && Math.min(KEPT_ROOM, room >> 3), keptNodes = follows && nodes >> 3;
      room -= keptRoom;
      nodes -= keptNodes;
      var text = write(one, "item", one.place, depth + 1);
      room += keptRoom;
      nodes = Math.max(nodes, 0) + keptNodes;
      if (text) texts[one.at] = one.name + text;
      else room += one.name.length;
    });
    return "{" + texts.filter(Boolean).join() + "}";
  }
  return write([value], 0, "", 1);
}
/* The texts of copies that have been made already. */
var texts = new WeakMap();
/* The JSON of what the page gave, with one warning of all that it goes without. */
function told(what, value, absent, most) {
  var places = [], more = 0;
  var json = jsonOf(value, function (path, why) {
    if (places.length < 5) places.push((path.slice(0, 100) || "the value") + " (" + why + ")");
    else more++;
  }, most, absent);
  if (places.length) console.warn("[satsuma] " + what + ": not all values can be sent as they are: " + places.join(", ") + (more ? " and " + more + " more" : "") + ".");
  return json;
}
/* An argument that Python and a worker can take, whatever the page gave: a copy of an object. What is no plain object takes a
   place and means nothing; of a text as long as this nothing can be sent. What a page takes away of its own properties by
   `undefined`, which JSON leaves out, stays in the copy. With `all`, what is to be kept in localStorage comes whole. */
function readable(what, value, all) {
  var most = all ? MOST_STORED : MOST_CHARACTERS;
  if (typeof value === "symbol") return null;
  if (typeof value === "string") return value.slice(0, most);
  if (Object(value) !== value || typeof value === "function" || texts.has(value)) return value;
  var plain = quietly(function () { return all || {}.toString.call(value) === "[object Object]"; });
  if (plain === false) return [];
  var absent = [], json = told(what, value, absent, most), copy = JSON.parse(json || "null");
  if (Object(copy) !== copy) return plain && !all ? [] : copy;
  absent.forEach(function (name) { copy[name] = undefined; });
  texts.set(copy, json);
  return copy;
}
function quietly(read) {
  try {
    return read();
  } catch (error) {
    return undefined;
  }
}
function isNote(value) {
  /* What a page gives may throw at each look. */
  return Object(value) === value && quietly(function () { return value.__t; }) === "bpc";
}
