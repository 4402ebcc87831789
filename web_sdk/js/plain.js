/* Starts Python as Pyodide itself does, for the engine that can't restore the memory image: few pages ever load this file. */
document.currentScript.startPlainly = async (folder, { integrity, lockInfo }, loadScript) => {
  let refuse;
  // Pyodide itself would wait for ever where its module does not come.
  const refused = new Promise((_, reject) => (refuse = reject));
  refused.catch(() => {});
  return Promise.race([start(), refused]);

  async function start() {
    const own = { fetch: checkedFetch };
    // Both here, since Pyodide would load the second one without looking at its hash.
    await loadScript("pyodide.asm.js", own);
    await loadScript("pyodide.js", own);
    const lockFileContents = { info: lockInfo, packages: {} };
    const pyodide = await loadPyodide({ indexURL: folder, lockFileContents, stdout: () => {}, checkAPIVersion: false });
    const archive = await checkedFetch(folder + "satsuma.zip");
    pyodide.unpackArchive(await archive.arrayBuffer(), "zip", { extractDir: "/lib/satsuma" });
    pyodide.runPython("import sys; sys.path.insert(0, '/lib/satsuma')");
    return pyodide;
  }

  /* For the files that were built, and for no others. */
  function checkedFetch(url, init) {
    const name = String(url).startsWith(folder) ? String(url).slice(folder.length) : "";
    if (!(name in integrity)) return fetch(url, init);
    const response = fetch(url, { ...init, integrity: integrity[name] });
    response.catch(refuse);
    return response;
  }
};
