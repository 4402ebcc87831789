/* The interpreter's two large files. With a Subresource Integrity value for the whole, the browser would gather and hash all
   of it on the page's own thread; so they are put to use as they come in, and hashed beside that, off the thread. Nothing of
   them runs before all hashes are right. Without a secure context there is no WebCrypto: then it is the browser's way. */
const hashes = Boolean(self.crypto && crypto.subtle);
const RESTORE_MILLISECONDS = 20000;
const MOST_PAGES = 65536; // All that a module can address; Pyodide's glue grows the memory.

/* Starts Python from the memory image; `glue` gives what joins module and memory (start.js), once the files are asked for. */
async function bootImage({ folder, image, integrity, glue, breathe }) {
  const { config, pages, blocks } = image;
  const large = (name) => load(folder + name, hashes ? "" : integrity[name]);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: MOST_PAGES });
  const restored = later(large("memory.bin").then((response) => restoreMemory(memory, response, blocks)));
  const module = later(large("python.wasm").then((response) => compileModule(response, integrity["python.wasm"])));
  const start = await glue();
  const starting = later(start({ module, memory, restored, config, folder, breathe }));
  await Promise.all([module, restored]);
  return Promise.race([starting, giveUp(RESTORE_MILLISECONDS)]);
}

async function load(url, integrity) {
  const response = await fetch(url, { integrity: integrity || "" });
  if (!response.ok) throw new Error(url + ": " + response.status);
  return response;
}

/* A promise that is awaited later: until then its failure is nobody's unhandled rejection. */
function later(promise) {
  promise.catch(() => {});
  return promise;
}

function giveUp(milliseconds) {
  return new Promise((_, reject) => setTimeout(() => reject(new Error("no answer in time")), milliseconds));
}

async function check(bytes, integrity) {
  if (!hashes) return;
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  if ("sha256-" + btoa(String.fromCharCode(...hash)) !== integrity) throw new Error("a file is not what was built");
}

async function compileModule(response, integrity) {
  const copy = hashes && response.clone();
  const module = later(WebAssembly.compileStreaming(response));
  if (copy) await check(await copy.arrayBuffer(), integrity);
  return module;
}

/* Each block of a memory image goes where it belongs, and is checked once it lies there. */
async function restoreMemory(memory, response, blocks) {
  const bytes = new Uint8Array(memory.buffer);
  const reader = response.body.getReader();
  const checks = [];
  let filled = 0;
  for (let chunk; !(chunk = await reader.read()).done; ) {
    for (let from = 0; from < chunk.value.length; ) {
      const [at, size, integrity] = blocks[checks.length];
      const part = chunk.value.subarray(from, from + size - filled);
      bytes.set(part, at + filled);
      from += part.length;
      filled += part.length;
      if (filled < size) break;
      checks.push(later(check(bytes.subarray(at, at + size), integrity)));
      filled = 0;
    }
  }
  if (checks.length < blocks.length) throw new Error("the memory image is cut off");
  await Promise.all(checks);
}
