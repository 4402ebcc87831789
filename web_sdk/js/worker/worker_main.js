/* Runs Python in a worker, for the page that started it. Stands behind channel.js, page_mirror.js and files.js, and all of
   them behind Pyodide's glue with start.js. */
const LATE = 60000;
const MOST_SHOWN = 1000;

/* A context, as far as Python needs it: the page has the real one, by its serial number. */
class Shown {
  constructor(serial) {
    this.serial = serial;
  }
}
class Carried {
  constructor(event) {
    this.obj = event;
  }
}
const face = { settings: {} };
const shown = new Map();
let serial = 0;

const kinds = {
  context: {
    is: (value) => value instanceof Shown,
    write(context) {
      const { serial, id, event, outcome } = context;
      // What the page has been told once of the event's way is told.
      context.outcome = { ...outcome, lines: [], counts: [] };
      return { serial, id, event: JSON.stringify(event), outcome };
    },
    read({ serial, event }) {
      const context = shown.get(serial) || new Shown(serial);
      return Object.assign(context, { event: JSON.parse(event) });
    },
  },
  payload: {
    is: (value) => value instanceof Carried,
    write: (value) => JSON.stringify(value.obj),
    read: (text) => new Carried(JSON.parse(text)),
  },
  face: { is: (value) => value === face, write: () => true, read: () => face },
  json: { is: () => false, read: JSON.parse },
};
const world = makeWorld((message) => self.postMessage(message));
const line = makeLine(post, kinds);

/* What Python has written comes first: who hears of a call's end finds its cookies. */
function post(message) {
  world.flush();
  self.postMessage(message);
}

const native = {
  context(known, id, event, outcome) {
    const context = known || new Shown(++serial);
    shown.set(context.serial, context);
    if (shown.size > MOST_SHOWN) shown.delete(shown.keys().next().value);
    const { lines = [], counts = [] } = context.outcome || {};
    const told = { ...outcome, lines: [...lines, ...outcome.lines], counts: [...counts, ...outcome.counts] };
    return Object.assign(context, { id, event: JSON.parse(event), outcome: told });
  },
  attempt,
  plugins: (...about) => line.ask({ remote: ["plugins", ...about.slice(0, 2)] }),
  middleware: (...about) => line.ask({ remote: ["middleware", ...about] }),
  payload: (event) => new Carried(JSON.parse(event)),
};

let python, ask, initialize, known;

/* Who the visitor is, told whenever it has changed: what the page asks for at once is answered there. */
function tell() {
  const now = ask ? ask.who() : known;
  if (now !== known) post({ who: (known = now) });
}

function settle(id) {
  return (value) => {
    tell();
    // What is Python's own (`on` returns it, for a chain) is no answer for a page.
    post({ settled: id, value: value && value.destroy ? value.destroy() : line.write(value) });
  };
}

function refuse(id) {
  return (reason) => post({ settled: id, refused: String(Object(reason).message || reason) });
}

/* An engine whose modules can't be handed over keeps its own. */
function share(module) {
  module.then((module) => self.postMessage({ module })).catch(() => {});
}

const ways = {
  async boot({ folder, image, integrity }) {
    try {
      const glue = () => (parts) => (share(parts.module), startPython(parts));
      python = await bootImage({ folder, image, integrity, glue, breathe: async () => {} });
      post({ ready: true });
    } catch (error) {
      post({ failed: String(error) });
    }
  },
  async start({ about, headers, ...page }) {
    inhabit(world, about, line, line.read(headers));
    const install = (given, begun, apiHost) => {
      [ask, initialize] = [given, begun];
      return { face, begin: () => (tell(), line.ask({ begin: apiHost })) };
    };
    const { start } = python.pyimport("satsuma.platforms.browser.boot");
    await start({ ...page, native, install, breathe: async () => {} });
  },
  initialize: () => initialize(),
  event: ([name, args, note, id]) => ask.event(name, args.map(line.read), note, settle(id), refuse(id)),
  later: ([name, args, id]) => ask.later(name, args.map(line.read), settle(id), refuse(id)),
  answered: ([way, name, args, id]) => settle(id)(ask[way](name, args.map(line.read))),
  confirm: (number) => world.confirm(number),
  happened: ([name, about]) => world.happen(name, about),
};

self.onmessage = async ({ data }) => {
  if (data.world) world.see(data.world);
  if (line.take(data)) return;
  try {
    await ways[data.way](data.given);
    tell();
  } catch (error) {
    post({ complaint: `${data.way}: ${error}` });
  }
};
