"""A page whose scripts have changed the browser's built-in objects, as real ones do, and worse."""

PROTOTYPE = """
    // What prototype.js 1.6 does to every page that has it.
    Array.prototype.toJSON = function () {
        return "[" + [].map.call(this, (one) => JSON.stringify(one)).join(", ") + "]";
    };
    Object.prototype.toJSON = function () { return "{}"; };
    String.prototype.toJSON = function () { return '"' + this + '"'; };
    Date.prototype.toJSON = function () { return '"' + this.getUTCFullYear() + '"'; };
    Object.keys = (object) => { const names = []; for (const name in object) names.push(name); return names; };
    Array.from = (list) => {
        if (!list) return [];
        if (list.toArray) return list.toArray();
        const copy = [];
        for (let i = 0; i < (list.length || 0); i++) copy[i] = list[i];
        return copy;
    };
    Array.prototype.toArray = function () { return [].concat(this); };
    Array.prototype.each = function (work) { for (let i = 0; i < this.length; i++) work(this[i], i); };
    // Enumerable, so that for..in over anything finds them.
    Object.prototype.extend = function () { return this; };
    Object.version = Array.version = "1.6";
    Storage.prototype.ajs_extra = "not a value that was stored";
"""
"""Before the snippet or behind it: a page that has them must be told of as any other."""

REPLACED = """
    window.JSON = {stringify: () => "spoiled", parse: () => ({spoiled: true})};
    window.Promise = function () { throw new Error("no promises"); };
    window.Promise.resolve = window.Promise.all = () => { throw new Error("no promises"); };
    window.fetch = () => { throw new Error("nothing is fetched"); };
    window.Date = function () { return {getTime: () => 0}; };
    window.Date.now = () => 0;
    window.setTimeout = () => { throw new Error("nothing is late"); };
    crypto.randomUUID = () => "always the same";
    crypto.getRandomValues = (bytes) => bytes.fill(7);
    if (crypto.subtle) crypto.subtle.digest = SubtleCrypto.prototype.digest = async () => new ArrayBuffer(32);
    navigator.sendBeacon = Navigator.prototype.sendBeacon = () => true;
    for (const name of ["getItem", "setItem", "removeItem", "key"])
        Storage.prototype[name] = () => { throw new Error("nothing is stored"); };
    Object.defineProperty(Document.prototype, "cookie", {configurable: true, get: () => "", set() {}});
"""
"""Behind the snippet: nothing of it may reach what the snippet has seen before."""
