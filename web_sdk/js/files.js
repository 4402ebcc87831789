/* The interpreter's two large files. With a Subresource Integrity value for the whole, the browser would gather and hash all
   of it on the page's own thread; so they are put to use as they come in, and hashed beside that, off the thread. Nothing of
   them runs before all hashes are right. Without a secure context there is no WebCrypto: then it is the browser's way. */
const hashes = Boolean(self.crypto && crypto.subtle);
const RESTORE_MILLISECONDS = 20000;
const MOST_PAGES = 65536; // All that a module can address; Pyodide's glue grows the memory.

const REST = "python_rest.wasm"; // What few pages call of the module; `whole` has it loaded with the others.

/* Starts Python from the memory image; `glue` gives what joins module and memory (start.js), once the files are asked for. */
async function bootImage({ folder, image, integrity, glue, breathe, whole, lost }) {
  const { config, pages, blocks } = image;
  const large = (name) => load(folder + name, hashes ? "" : integrity[name]);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: MOST_PAGES });
  const restored = later(large("memory.bin").then((response) => restoreMemory(memory, response, blocks["memory.bin"])));
  const module = later(large("python.wasm").then((response) => compileModule(response, blocks["python.wasm"])));
  const rest = { name: REST, integrity: integrity[REST], module: whole && later(large(REST).then((response) => compileModule(response, blocks[REST]))) };
  const start = await glue();
  const starting = later(start({ module, memory, restored, config, folder, breathe, rest, lost }));
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

/* The compiler gets each chunk as it comes in, so that it works beside the network. */
async function compileModule(response, blocks) {
  const reader = response.body.getReader();
  const checked = inBlocks(new Uint8Array(Math.max(...blocks.map(([, size]) => size))), blocks);
  const pull = async (body) => {
    const { done, value } = await reader.read();
    if (done) return body.close();
    checked.take(value);
    body.enqueue(value);
  };
  const body = new ReadableStream({ pull }, { highWaterMark: 0 });
  const module = await WebAssembly.compileStreaming(new Response(body, { headers: { "content-type": "application/wasm" } }));
  await checked.whole();
  return module;
}

async function restoreMemory(memory, response, blocks) {
  const checked = inBlocks(new Uint8Array(memory.buffer), blocks);
  const reader = response.body.getReader();
  for (let chunk; !(chunk = await reader.read()).done; ) checked.take(chunk.value);
  await checked.whole();
}

/* Puts each block of a file where it belongs, and checks it once it lies there. What is checked may be overwritten at once:
   WebCrypto has its own copy. */
function inBlocks(bytes, blocks) {
  const checks = [];
  let filled = 0;
  function take(chunk) {
    for (let from = 0; from < chunk.length; ) {
      const [at, size, integrity] = blocks[checks.length];
      const part = chunk.subarray(from, from + size - filled);
      bytes.set(part, at + filled);
      from += part.length;
      filled += part.length;
      if (filled < size) break;
      checks.push(later(check(bytes.subarray(at, at + size), integrity)));
      filled = 0;
    }
  }
  async function whole() {
    if (checks.length < blocks.length) throw new Error("a file is cut off");
    await Promise.all(checks);
  }
  return { take, whole };
}
