/* The browser's built-in objects as they are at first sight. A page may replace them later, its prototypes may have a toJSON
   (prototype.js 1.6), and HTML may name elements after properties of the document: <img name=cookie>. */
function takeIntrinsics(global) {
  var Object = global.Object, Array = global.Array, NativeDate = global.Date, json = global.JSON, stringify = json.stringify;
  var toISOString = NativeDate.prototype.toISOString, dateToJSON = NativeDate.prototype.toJSON;
  /* What inherits a toJSON that the page gave to all arrays, objects or dates is written as if there were none. */
  function plain(key, given) {
    var value = this[key];
    if (value === null || typeof value !== "object") return given;
    if (value instanceof NativeDate)
      return value.toJSON !== NativeDate.prototype.toJSON ? given : isNaN(value) ? null : toISOString.call(value);
    return value.toJSON === [].toJSON || value.toJSON === {}.toJSON ? value : given;
  }
  function write(value) {
    return [].toJSON || {}.toJSON || NativeDate.prototype.toJSON !== dateToJSON ? stringify(value, plain) : stringify(value);
  }
  function OwnDate(time) {
    return arguments.length > 1 ? Reflect.construct(NativeDate, arguments) : arguments.length ? new NativeDate(time) : new NativeDate();
  }
  OwnDate.now = NativeDate.now;
  OwnDate.parse = NativeDate.parse;
  OwnDate.UTC = NativeDate.UTC;
  OwnDate.prototype = NativeDate.prototype;
  /* A constructor with functions of its own. */
  function copied(Native, make) {
    Reflect.ownKeys(Native).forEach(function (name) {
      if (name !== "length" && name !== "name" && name !== "prototype")
        Object.defineProperty(make, name, { __proto__: null, value: Native[name], writable: true });
    });
    make.prototype = Native.prototype;
    return make;
  }
  var OwnObject = copied(Object, function (value) { return Object(value); });
  var OwnArray = copied(Array, function () { return Reflect.construct(Array, arguments); });
  if (isReplaced(Object.keys)) OwnObject.keys = ownKeys;
  function bound(owner, method) {
    return method && function () { return method.apply(owner, arguments); };
  }
  /* An element is never what is asked for, but for `head` and `currentScript`; those are read past every name. */
  function realDocument(document) {
    var real = {}, prototype = global.Document.prototype;
    ["cookie", "currentScript", "head", "prerendering", "referrer", "title", "visibilityState"].forEach(function (name) {
      var own = Object.getOwnPropertyDescriptor(document, name);
      var found = own && own.get ? own : Object.getOwnPropertyDescriptor(prototype, name);
      function named() { return name === "cookie" || Object(document[name]) === document[name]; }
      if (found) Object.defineProperty(real, name, { __proto__: null,
        get: function () { return named() ? found.get.call(document) : document[name]; },
        set: function (text) { if (named()) found.set.call(document, text); else document[name] = text; } });
    });
    ["addEventListener", "createElement", "querySelector"].forEach(function (name) {
      real[name] = bound(document, prototype[name]);
    });
    return real;
  }
  /* Where a page may have no localStorage, each use throws, as the sight of it does. */
  function realStorage() {
    var real = {}, Storage = global.Storage;
    ["getItem", "setItem", "removeItem", "key"].forEach(function (name) {
      var method = Storage && Storage.prototype[name];
      real[name] = function () {
        var area = global.localStorage;
        return (Storage && area instanceof Storage ? method : area[name]).apply(area, arguments);
      };
    });
    return real;
  }
  var subtle = global.crypto.subtle, navigator = global.navigator;
  return { __proto__: null,
    Object: OwnObject, Array: OwnArray, Date: OwnDate, JSON: { stringify: write, parse: json.parse }, Promise: global.Promise,
    crypto: { getRandomValues: bound(global.crypto, global.crypto.getRandomValues), subtle: subtle && { digest: bound(subtle, subtle.digest) } },
    localStorage: realStorage(), sendBeacon: bound(navigator, navigator.sendBeacon), document: realDocument(global.document),
    fetch: bound(global, global.fetch), setTimeout: bound(global, global.setTimeout), clearTimeout: bound(global, global.clearTimeout) };
}
function isReplaced(method) {
  return !/\[native code\]/.test(Function.prototype.toString.call(method));
}
function ownKeys(value) {
  value = Object(value);
  return Reflect.ownKeys(value).filter(function (name) {
    return typeof name === "string" && Object.prototype.propertyIsEnumerable.call(value, name);
  });
}
