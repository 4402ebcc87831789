/* Python's side of one page: what the page asks goes in, what Python answers goes out. A worker has one desk; a service worker
   has one for each page. Stands behind channel.js, writes.js and page_mirror.js. */
const LATE = 60000;
const MOST_SHOWN = 1000;
const MOST_SHOWN_CHARACTERS = 2000000;

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

const NOBODY_ELSE = { meets: false, journaled() {}, starts() {} };

/* `python` gives the interpreter, `send` posts to the page, and `sendBeacon` is what Python finds of the navigator's.
   `others` is for what a page has to do with other ones: whether they `meet` here, `journaled(key, text, source)`, which hears
   of what Python keeps of events that have no answer, null for none, and `starts(writeKey)`, which hears of a page's start. */
function makeDesk(python, send, writes, sendBeacon, { meets, journaled, starts } = NOBODY_ELSE) {
  const face = { settings: {} };
  const shown = new Map();
  let serial = 0;
  let shownCharacters = 0;
  let ask, initialize, known, mirror;
  let open = 0; // Calls that have no answer yet.
  let starting = false; // Python takes what other pages have left, and can't be asked about it yet.

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
  const source = {}; // The page's write key, and where its events go.
  const journals = new Set(); // The keys under which it keeps them.
  const world = makeWorld(send, writes, (key, text) => {
    text === null ? journals.delete(key) : journals.add(key);
    journaled(key, text, { ...source, ahead: world.now() - clock() });
  });
  const line = makeLine(post, kinds);

  /* What Python has written comes first: who hears of a call's end finds its cookies. */
  function post(message) {
    world.flush();
    send(message);
  }

  /* The newest contexts, within bounds; the page has all that it still needs. */
  function show(context, size) {
    shownCharacters += size - (shown.has(context.serial) ? context.size : 0);
    context.size = size;
    shown.set(context.serial, context);
    for (const [number, { size }] of shown) {
      if (number === context.serial || (shown.size <= MOST_SHOWN && shownCharacters <= MOST_SHOWN_CHARACTERS)) break;
      shown.delete(number);
      shownCharacters -= size;
    }
  }

  const native = {
    context(known, id, event, outcome) {
      const context = known || new Shown(++serial);
      show(context, event.length);
      const { lines = [], counts = [] } = context.outcome || {};
      const told = { ...outcome, lines: [...lines, ...outcome.lines], counts: [...counts, ...outcome.counts] };
      return Object.assign(context, { id, event: JSON.parse(event), outcome: told });
    },
    attempt,
    failure: (text) => new Error(text),
    load: (url) => line.ask({ remote: ["load", url] }).then(() => {}),
    plugins: (...about) => line.ask({ remote: ["plugins", ...about.slice(0, 2)] }),
    middleware: (...about) => line.ask({ remote: ["middleware", ...about] }),
    payload: (event) => new Carried(JSON.parse(event)),
  };

  /* Who the visitor is, told whenever it has changed: what the page asks for at once is answered there. */
  function tell() {
    const now = ask ? ask.who() : known;
    if (now !== known) post({ who: (known = now) });
  }

  function settle(id) {
    open++;
    return (value) => {
      open--;
      tell();
      // What is Python's own (`on` returns it, for a chain) is no answer for a page.
      post({ settled: id, value: value && value.destroy ? value.destroy() : line.write(value) });
    };
  }

  function refuse(id) {
    return (reason) => {
      open--;
      post({ settled: id, refused: String(Object(reason).message || reason) });
    };
  }

  const ways = {
    async start({ about, headers, ...page }) {
      const complain = (complaint) => post({ complaint });
      starts(page.writeKey);
      mirror = makeWindow(world, about, line, { sendBeacon, meets, headers: line.read(headers), complain });
      const install = (given, begun, apiHost) => {
        [ask, initialize, starting] = [given, begun, false];
        Object.assign(source, { writeKey: page.writeKey, url: apiHost + "/b" });
        return { face, begin: () => (tell(), line.ask({ begin: apiHost })) };
      };
      const { start } = python().pyimport("satsuma.platforms.browser.boot");
      starting = true;
      try {
        await start({ ...page, window: mirror.window, native, install, breathe: async () => {} });
      } finally {
        starting = false;
      }
    },
    initialize: () => initialize(),
    round: ([id]) => settle(id)(),
    event: ([name, args, note, id]) => ask.event(name, args.map(line.read), note, settle(id), refuse(id)),
    later: ([name, args, id]) => ask.later(name, args.map(line.read), settle(id), refuse(id)),
    answered: ([way, name, args, id]) => settle(id)(ask[way](name, args.map(line.read))),
    confirm: (number, now) => world.confirm(number, now),
    happened: ([name, about]) => mirror?.happen(name, about),
  };

  async function take(message) {
    if (message.left) world.spare(message.left, message.given);
    if (message.world) world.see(message.world);
    if (line.take(message)) return;
    try {
      await ways[message.way](message.given, message.now);
      tell();
    } catch (error) {
      post({ complaint: `${message.way}: ${error}` });
    }
  }

  /* Whether calls or events have no answer yet. */
  function busy() {
    tell();
    const { queued = 0, inflight = 0 } = known ? JSON.parse(known).delivery : {};
    return starting || open + queued + inflight > 0;
  }

  /* The visitor has said no on a later page: what this one has left is sent no more. */
  function withdraw() {
    if (ask) ask.now("consent", [false]);
  }

  /* The page is gone, and another one takes what it has left in a journal. */
  function surrender(key) {
    world.lose(key);
    journals.delete(key);
    mirror?.happen("pageshow", { persisted: true });
  }

  /* Lets go of all that Python has for the page. */
  function close() {
    const proxies = [...Object.values(ask || {}), initialize, ...(mirror ? mirror.listeners() : [])];
    [ask, initialize, mirror] = [];
    for (const proxy of proxies) attempt(proxy ?? {}, "destroy");
  }

  return { take, post, world, busy, close, surrender, withdraw, source, journals };
}
