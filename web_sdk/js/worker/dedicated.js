/* The page's way to a worker of its own. From another origin no worker may be started; from a blob it may, where the page's
   policy allows that. */
async function connectWorker(given, hear, failed, lost) {
  const { folder, image, integrity, trust, whole } = given;
  const response = (await given.file).clone();
  const where = new URL(folder, location.href);
  const here = where.origin === location.origin;
  const worker = new Worker(trust(here ? folder + "worker.js" : URL.createObjectURL(await response.blob())));
  worker.onerror = (event) => failed(new Error(event.message || "the page's policy allows no worker"));
  worker.onmessage = ({ data }) => {
    if (!data.lost) return hear(data);
    worker.terminate();
    // Once: a worker that has all of Python's module ends for another reason, and another one would, too.
    if (!whole) lost((given.whole = true));
  };
  worker.postMessage({ way: "boot", given: { folder: where.href, image, integrity, whole } });
  return { post: (message) => worker.postMessage(message) };
}
document.currentScript.hostPython = (given) => hostPython(given, connectWorker);
