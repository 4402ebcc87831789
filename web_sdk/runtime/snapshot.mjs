// Boots Pyodide, imports the SDK, and writes the interpreter's memory to a file.
// usage: node snapshot.mjs PYODIDE_FOLDER SATSUMA_ZIP OUTPUT
import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { resolve } from "node:path";

process.on("uncaughtException", (error) => {
  // Node would print the whole of Pyodide's minified source with it.
  console.error(String(error && error.stack ? error.stack.split("\n").filter((line) => line.length < 400).join("\n") : error));
  process.exit(1);
});

const [folder, archive, output] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(resolve(folder, "pyodide.mjs")).href);

const pyodide = await loadPyodide({ indexURL: resolve(folder), _makeSnapshot: true });
pyodide.unpackArchive(new Uint8Array(readFileSync(archive)), "zip", { extractDir: "/lib/satsuma" });
pyodide.runPython(`
import sys
sys.path.insert(0, "/lib/satsuma")
import satsuma.platforms.browser.boot
# The page has no files: nothing may look for a module at run time that isn't here.
sys.path.remove("/lib/satsuma")
import gc, linecache
linecache.clearcache()
gc.collect()
`);
writeFileSync(output, pyodide.makeMemorySnapshot());
