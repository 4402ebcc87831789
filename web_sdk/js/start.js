/* Starts Python in a memory that holds a started interpreter with the SDK in it: what Pyodide's own loadPyodide does, less
   what such a page has no use for. Stands behind Pyodide's glue, in one file and one function with it. `lost` is called where
   the interpreter has started, and later can't go on. */
async function startPython({ module, memory, restored, config, folder, breathe, rest, lost }) {
  const inPage = self === self.window;
  const api = {
    config: { jsglobals: globalThis, env: {}, packages: [], indexURL: folder, packageBaseUrl: folder, cdnUrl: folder },
    runtimeEnv: { IN_BROWSER: true, IN_BROWSER_MAIN_THREAD: inPage, IN_BROWSER_WEB_WORKER: !inPage },
  };
  // Pyodide marks its own errors with a value that nobody else can have.
  const mark = Symbol("error marker");
  await breathe();
  const python = await new Promise((resolve, reject) => {
    const instantiateWasm = (imports, receive) => {
      imports.sentinel = { create_sentinel: () => mark, is_sentinel: (value) => value === mark };
      // The glue is ready sooner than both; nothing of the module runs before its memory is whole.
      const received = async () => {
        const [compiled] = await Promise.all([module, restored]);
        await breathe();
        const instance = await WebAssembly.instantiate(compiled, imports);
        joinRest(instance.exports, imports, folder, rest, await rest.module);
        receive(instance, compiled);
        // What the module's constructors would have put into its table of JavaScript's values.
        for (const value of [null, imports.env.__hiwire_deduplicate_new()]) instance.exports._hiwire_immortal_add(value);
        // A function that Python finds by its place in the table: of this page's engine, not of the build's.
        imports.env._PyEM_InitTrampoline_js();
      };
      received().catch(reject);
      return {};
    };
    const settings = { API: api, wasmMemory: memory, noInitialRun: true, preRun: [], print() {}, printErr: console.warn, instantiateWasm };
    _createPyodideModule({ ...settings, locateFile: (name) => folder + name }).then(resolve, reject);
  });
  // The longest of all steps: nothing goes into the same task before it.
  await breathe(0);
  const started = python.API.finalizeBootstrap(config);
  api.initializeStreams(undefined, () => {}, console.warn);
  api.on_fatal = rest.lost = lost;
  return started;
}

/* The module's second part has the functions that no page is known to call. Where one is called after all, it is loaded at
   once, while Python waits; `compiled` is it, where the page has asked for it before. */
function joinRest({ parts, parts1, parts2, link }, imports, folder, rest, compiled) {
  let failed;
  const join = (compiled) => {
    link();
    new WebAssembly.Instance(compiled, { ...imports, python: { parts, parts1, parts2 } });
    parts.set(0, way.exports.none);
  };
  const load = () => {
    if (failed) throw failed;
    console.warn("[satsuma] Python calls what pages are not known to call: its second part is loaded.");
    try {
      join(new WebAssembly.Module(loadChecked(folder + rest.name, rest.integrity)));
    } catch (error) {
      // Pyodide itself would ask for more of it first.
      rest.lost?.(error);
      throw (failed = error);
    }
  };
  // Only WebAssembly's own functions can be in a table: `way.load` calls JavaScript's, `way.none` does nothing.
  const way = new WebAssembly.Instance(new WebAssembly.Module(WAY), { js: { load } });
  parts.set(0, way.exports.load);
  if (compiled) join(compiled);
}

/* (module (import "js" "load" (func)) (func) (export "load" (func 0)) (export "none" (func 1))) */
const WAY = Uint8Array.from(
  [0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 2, 11, 1, 2, 106, 115, 4, 108, 111, 97, 100, 0, 0, 3, 2, 1, 0, 7, 15, 2, 4, 108]
    .concat([111, 97, 100, 0, 0, 4, 110, 111, 110, 101, 0, 1, 10, 4, 1, 2, 0, 11]),
);

/* A file at once, without a promise: WebAssembly's code can't wait for one. */
function loadChecked(url, integrity) {
  const request = new XMLHttpRequest();
  request.open("GET", url, false);
  request.overrideMimeType("text/plain; charset=x-user-defined"); // Each byte is a character of its own.
  request.send();
  if (request.status !== 200) throw new Error(url + ": " + request.status);
  const bytes = Uint8Array.from(request.responseText, (character) => character.charCodeAt(0));
  if ("sha256-" + btoa(String.fromCharCode(...sha256(bytes))) !== integrity) throw new Error("a file is not what was built");
  return bytes;
}

/* WebCrypto's has its answer later only (FIPS 180-4). */
function sha256(bytes) {
  const primes = [];
  for (let n = 2; primes.length < 64; n++) if (primes.every((prime) => n % prime)) primes.push(n);
  const root = (n, power) => ((n ** (1 / power) % 1) * 2 ** 32) | 0;
  const constants = primes.map((prime) => root(prime, 3));
  const state = primes.slice(0, 8).map((prime) => root(prime, 2));
  const whole = new Uint8Array((((bytes.length + 8) >> 6) + 1) * 64);
  whole.set(bytes);
  whole[bytes.length] = 128;
  const view = new DataView(whole.buffer);
  view.setUint32(whole.length - 4, bytes.length * 8);
  view.setUint32(whole.length - 8, bytes.length / 2 ** 29);
  const words = new Int32Array(64);
  const turn = (x, by) => (x >>> by) | (x << (32 - by));
  for (let at = 0; at < whole.length; at += 64) {
    for (let n = 0; n < 16; n++) words[n] = view.getInt32(at + 4 * n);
    for (let n = 16; n < 64; n++) {
      const x = words[n - 15];
      const y = words[n - 2];
      words[n] = words[n - 16] + words[n - 7] + (turn(x, 7) ^ turn(x, 18) ^ (x >>> 3)) + (turn(y, 17) ^ turn(y, 19) ^ (y >>> 10));
    }
    let [a, b, c, d, e, f, g, h] = state;
    for (let n = 0; n < 64; n++) {
      const one = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + constants[n] + words[n]) | 0;
      const two = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g;
      g = f;
      f = e;
      e = (d + one) | 0;
      d = c;
      c = b;
      b = a;
      a = (one + two) | 0;
    }
    [a, b, c, d, e, f, g, h].forEach((value, n) => (state[n] = (state[n] + value) | 0));
  }
  const hash = new DataView(new ArrayBuffer(32));
  state.forEach((value, n) => hash.setInt32(4 * n, value));
  return new Uint8Array(hash.buffer);
}
