/* Starts Python in a memory that holds a started interpreter with the SDK in it: what Pyodide's own loadPyodide does, less
   what such a page has no use for. Stands behind Pyodide's glue, in one file and one function with it. */
async function startPython({ module, memory, restored, config, folder, breathe }) {
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
  return started;
}
