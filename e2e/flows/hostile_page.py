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

SPOILED_FOR_THE_SDK = """
(() => {
    // Whether a script of the collector, or the snippet, is the nearest one that calls: pages and tests go on as ever.
    const NativeError = Error;
    const asked = () => {
        const callers = new NativeError().stack.split("\\n").slice(3);
        const nearest = callers.find((line) => /https?:|wasm:/.test(line)) || "/static/";
        return !nearest.includes("/static/");
    };
    const spoil = (owner, name, spoiled) => {
        const real = owner[name];
        const own = function (...given) {
            if (asked()) return spoiled.apply(this, given);
            return new.target ? Reflect.construct(real, given) : real.apply(this, given);
        };
        Object.setPrototypeOf(own, real);
        if (real.prototype) own.prototype = real.prototype;
        Object.defineProperty(owner, name, { value: own, writable: true, configurable: true, enumerable: false });
    };
    const never = (what) => () => { throw new NativeError(what); };
    for (const { prototype } of [Array, Object, String, Date]) {
        const real = prototype.toJSON;
        const spoiled = () => "spoiled";
        Object.defineProperty(prototype, "toJSON", { get: () => (asked() ? spoiled : real), configurable: true });
    }
    spoil(Object, "keys", () => ["spoiled"]);
    spoil(Array, "from", () => []);
    window.JSON = { stringify: JSON.stringify, parse: JSON.parse };
    spoil(JSON, "stringify", () => "spoiled");
    spoil(JSON, "parse", () => ({ spoiled: true }));
    for (const name of ["Promise", "fetch", "setTimeout"]) spoil(window, name, never("no " + name));
    spoil(Date, "now", () => 0);
    spoil(window, "Date", () => ({ getTime: () => 0 }));
    spoil(crypto, "randomUUID", () => "always the same");
    spoil(crypto, "getRandomValues", (bytes) => bytes.fill(7));
    spoil(navigator, "sendBeacon", () => true);
    for (const name of ["getItem", "setItem", "removeItem", "key"])
        spoil(Storage.prototype, name, never("nothing is stored"));
    Object.prototype.extend = Array.prototype.each = function () { return this; };
})();
"""
"""Behind the shop's snippet: much the same, but for the SDK alone, so that the scripts of shop and tests work on."""
