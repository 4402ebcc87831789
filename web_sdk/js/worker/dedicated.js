/* The page's way to a worker of its own. From another origin no worker may be started; from a blob it may, where the page's
   policy allows that. */
async function connectWorker({ file, folder, image, integrity, trust }, hear, failed) {
  const response = await file;
  const where = new URL(folder, location.href);
  const here = where.origin === location.origin;
  const worker = new Worker(trust(here ? folder + "worker.js" : URL.createObjectURL(await response.blob())));
  worker.onerror = (event) => failed(new Error(event.message || "the page's policy allows no worker"));
  worker.onmessage = ({ data }) => hear(data);
  worker.postMessage({ way: "boot", given: { folder: where.href, image, integrity } });
  return { post: (message) => worker.postMessage(message) };
}
document.currentScript.hostPython = (given) => hostPython(given, connectWorker);
