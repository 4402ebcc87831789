// Takes the memory of a started interpreter that has imported the SDK.
// usage: node snapshot.mjs PYODIDE_FOLDER SDK_WHEEL OUTPUT_FOLDER
// Writes memory.bin (what the interpreter's memory holds) and image.json (what it holds of JavaScript's).
import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { resolve } from "node:path";

process.on("uncaughtException", (error) => {
  // Node would print the whole of Pyodide's minified source with it.
  console.error(String(error && error.stack ? error.stack.split("\n").filter((line) => line.length < 400).join("\n") : error));
  process.exit(1);
});

const HEAD = 48; // Of Pyodide's snapshot: what it is, where its memory begins, how long its JSON is, its build.
const [folder, wheel, output] = process.argv.slice(2).map((path) => resolve(path));
const { loadPyodide } = await import(pathToFileURL(resolve(folder, "pyodide.mjs")).href);
const script = (name) => readFileSync(new URL(name, import.meta.url), "utf8");
const boot = (more) => loadPyodide({ indexURL: folder, _makeSnapshot: true, ...more });

/* Once to learn which modules are imported, and to compile them for good. */
function slim(python) {
  python.unpackArchive(new Uint8Array(readFileSync(wheel)), "zip", { extractDir: "/lib/satsuma" });
  python.runPython("import sys; sys.path.insert(0, '/lib/satsuma'); import satsuma.platforms.browser.boot");
  return python.runPython(script("slim.py")).toJs();
}

/* Fills with zeros what the allocator holds free. */
function wipe({ spare, HEAPU8 }) {
  const top = spare.sbrk(0);
  const taken = [];
  for (let size = 1 << 20; size >= 16; size >>= 1)
    for (;;) {
      const at = spare.malloc(size);
      taken.push(at);
      if (at + size > top) break;
      HEAPU8.fill(0, at, at + size);
    }
  taken.forEach((at) => spare.free(at));
}

const stdlib = resolve(output, "slim.zip");
writeFileSync(stdlib, slim(await boot({})));
const python = await boot({ stdLibURL: stdlib });
python.runPython(script("settle.py"));
wipe(python._module);
const snapshot = python.makeMemorySnapshot();
const [, start, length] = new Uint32Array(snapshot.buffer, snapshot.byteOffset, 3);
writeFileSync(resolve(output, "image.json"), snapshot.subarray(HEAD, HEAD + length));
writeFileSync(resolve(output, "memory.bin"), snapshot.subarray(start));
