/* One cell: starts the page's own Pyodide at the first run, and shows what Python prints and returns. */
const state = document.getElementById("state");
const output = document.getElementById("output");
let started;

async function start() {
  state.textContent = "Python is starting …";
  const { pyodide } = await startPyodide();
  const show = (line) => (output.textContent += `${line}\n`);
  pyodide.setStdout({ batched: show });
  pyodide.setStderr({ batched: show });
  const installer = await (await fetch("/notebook/micropip.zip")).arrayBuffer();
  pyodide.unpackArchive(installer, "zip", { extractDir: "/lib/notebook" });
  pyodide.runPython("import sys; sys.path.insert(0, '/lib/notebook')");
  return pyodide;
}

document.getElementById("cell").addEventListener("submit", async (event) => {
  event.preventDefault();
  output.textContent = "";
  try {
    const pyodide = await (started ??= start());
    state.textContent = "running …";
    const result = await pyodide.runPythonAsync(document.getElementById("code").value);
    if (result !== undefined) output.textContent += `${result}\n`;
    state.textContent = "done";
  } catch (error) {
    output.textContent += error.message;
    state.textContent = "stopped by an error";
  }
});
