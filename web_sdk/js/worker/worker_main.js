/* Runs Python in a worker, for the page that started it. Stands behind desk.js and files.js, and
   all of them behind Pyodide's glue with start.js. */
let python;
const send = (message) => self.postMessage(message);
const desk = makeDesk(() => python, send, makeWrites(), (url, body) => (send({ beacon: [url, body] }), true));

/* An engine whose modules can't be handed over keeps its own. */
function share(module) {
  module.then((module) => send({ module })).catch(() => {});
}

async function boot({ folder, image, integrity, whole }) {
  try {
    const glue = () => (parts) => (share(parts.module), startPython(parts));
    python = await bootImage({ folder, image, integrity, glue, breathe: async () => {}, whole, lost: () => send({ lost: true }) });
    desk.post({ ready: true });
  } catch (error) {
    desk.post({ failed: String(error) });
  }
}

self.onmessage = ({ data }) => (data.way === "boot" ? boot(data.given) : desk.take(data));
