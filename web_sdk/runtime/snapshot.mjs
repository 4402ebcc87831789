// Takes the memory of a started interpreter that has imported the SDK.
// usage: node snapshot.mjs PYODIDE_FOLDER SDK_WHEEL OUTPUT_FOLDER
// Writes memory.bin (what the interpreter's memory holds) and image.json (what it holds of JavaScript's).
import nodeCrypto from "node:crypto";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { resolve } from "node:path";

process.on("uncaughtException", (error) => {
  // Node would print the whole of Pyodide's minified source with it.
  console.error(String(error && error.stack ? error.stack.split("\n").filter((line) => line.length < 400).join("\n") : error));
  process.exit(1);
});

/* The same sources give the same image: no time of this build is in it and no chance of its own. A page that is restored from
   it gets its own randomness (boot.py's reseed) and its own clock. */
const EPOCH = 315532800000; // Milliseconds: the year 1980, as in the wheel.
Date.now = () => EPOCH;
performance.now = () => 0;
globalThis.Date = class extends Date {
  constructor(...given) {
    super(...(given.length ? given : [EPOCH]));
  }
};
let state = 1;
crypto.getRandomValues = nodeCrypto.randomFillSync = (array) => {
  const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  for (let at = 0; at < bytes.length; at++) bytes[at] = (state = (Math.imul(state, 1103515245) + 12345) >>> 0) >>> 16;
  return array;
};

/* Tables of the C library's iconv, which nothing calls: the characters that each begins with, and its bytes. */
const ICONV = { 丂丄丅丆丏丒: 2 * 126 * 190, "　、。，．・": 2 * 84 * 94, "　，、。．‧": 2 * 89 * 157, "　、。·‥…": 2 * 93 * 94 };
/* Tables of unicodedata's with the names of all characters: the bytes that each begins with, and how many there are. */
const NAMES = { e4ae04fa0241cefe0242defe: 162032, "0021000097fa01000d000f00": 143048, b28bb28bb28bb28bb28bb28b: 92672 };
const HEAD = 48; // Of Pyodide's snapshot: what it is, where its memory begins, how long its JSON is, its build.
const [folder, wheel, output] = process.argv.slice(2).map((path) => resolve(path));
const { loadPyodide } = await import(pathToFileURL(resolve(folder, "pyodide.mjs")).href);
const script = (name) => readFileSync(new URL(name, import.meta.url), "utf8");
const boot = (more) => loadPyodide({ indexURL: folder, _makeSnapshot: true, args: ["-X", "frozen_modules=off"], ...more });

/* Returns the modules that are imported, compiled for good. */
function slim(python) {
  python.unpackArchive(new Uint8Array(readFileSync(wheel)), "zip", { extractDir: "/lib/satsuma" });
  python.runPython("import sys; sys.path.insert(0, '/lib/satsuma'); import satsuma.platforms.browser.boot");
  python.globals.set("standins", python.toPy(standins()));
  return python.runPython(script("bare.py") + script("slim.py")).toJs();
}

/* Without what Pyodide's own runPython needs of Python. */
function run(python, code) {
  const [failed, told] = python._api.rawRun(code);
  if (failed) throw new Error(told);
}

/* Sources of what stands in for modules that no page can use, by path. */
function standins() {
  const root = new URL("standins/", import.meta.url);
  const names = readdirSync(root, { recursive: true }).filter((name) => name.endsWith(".py"));
  return Object.fromEntries(names.map((name) => [name, readFileSync(new URL(name, root), "utf8")]));
}

/* Where memory holds what nothing reads any more: pairs of address and size. */
function deadTables(python) {
  const [frozen, maps] = python.runPython(script("tables.py") + "\nfrozen(), maps()");
  const { HEAPU8, HEAPU32 } = python._module;
  const bytes = Buffer.from(HEAPU8.buffer);
  return [
    ...Array.from(frozen, placeOf),
    ...Array.from(maps).flatMap((map) => tablesOf(map, HEAPU32)),
    // The codecs have tables like iconv's, before these.
    ...Object.entries(ICONV).map(([start, size]) => [found(bytes.lastIndexOf(start, undefined, "utf16le"), start), size]),
    ...Object.entries(NAMES).map(([start, size]) => [found(bytes.indexOf(start, 0, "hex"), start), size]),
  ];
}

function found(at, start) {
  if (at < 0) throw new Error(`no table begins with ${start} any more: mend snapshot.mjs`);
  return at;
}

function placeOf(view) {
  const { data } = view.getBuffer("u8");
  return [data.byteOffset, data.byteLength];
}

/* A capsule points to a map: its name, a table for encoding, one for decoding. Each of a table's 256 entries says where its
   characters are, 16 bits each, and which is the first and the last of them (CPython's cjkcodecs.h). */
function tablesOf(capsule, words) {
  const map = words[capsule / 4 + 2] / 4;
  return [words[map + 1], words[map + 2]].filter(Boolean).flatMap((table) => [
    [table, 256 * 8],
    ...Array.from({ length: 256 }, (_, n) => table / 4 + 2 * n)
      .filter((entry) => words[entry])
      .map((entry) => [words[entry], 2 * (((words[entry + 1] >> 8) & 255) - (words[entry + 1] & 255) + 1)]),
  ]);
}

/* Fills with zeros what the C library's allocator holds free. What it returns last reaches over the top of what it has. */
function wipe({ spare, HEAPU8 }) {
  const top = spare.sbrk(0);
  const taken = [];
  for (let size = 1 << 20; size >= 12; size >>= 1)
    for (;;) {
      const at = spare.malloc(size);
      taken.push(at);
      HEAPU8.fill(0, at, Math.min(at + size, Math.max(at, top)));
      if (at + size > top) break;
    }
  taken.forEach((at) => spare.free(at));
}

const stdlib = resolve(output, "slim.zip");
const whole = await boot({});
writeFileSync(stdlib, slim(whole));
const python = await boot({ stdLibURL: stdlib });
run(python, script("bare.py") + script("settle.py"));
wipe(python._module);
// The tables lie where they lay in the other interpreter: they are a part of the module.
for (const [at, size] of deadTables(whole)) python._module.HEAPU8.fill(0, at, at + size);
const snapshot = python.makeMemorySnapshot();
const [, start, length] = new Uint32Array(snapshot.buffer, snapshot.byteOffset, 3);
writeFileSync(resolve(output, "image.json"), snapshot.subarray(HEAD, HEAD + length));
writeFileSync(resolve(output, "memory.bin"), snapshot.subarray(start));
