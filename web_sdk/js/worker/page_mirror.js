/* What Python sees in a worker of the page that it works for: cookies, localStorage, address, title, what happens to it.

   The page tells with each message how things stand there. What Python writes is seen here at once and done there next; until
   the page has told that it is done, it is laid over what the page tells: `writes` (writes.js) keeps it until then. No event
   leaves before the page has kept who it is of: a tab that dies in between would come back as another visitor. */
const clock = Date.now;
const LONGEST_KEEPING = 5000; // A page that is busy for longer than this holds no event back.

function makeWorld(post, writes, journaled) {
  let page = {};
  let cookies = new Map();
  let items = null;
  let told = [new Map(), null]; // Cookies and items as the page has told them, with nothing laid over.
  let done = 0;
  let owed = 0; // The number of the last write that says who the visitor is.
  let kept = 0; // The page has done all writes up to this number.
  let senders = []; // Those who wait for a write to be done, each with its number.
  const unsent = new Map(); // The last one of each cookie and key, of those that Python has made in this very turn.
  let taken;
  let whole = false; // The page has told everything, and nobody has made use of it yet.
  let depart; // The page is gone.
  const departure = new Promise((go) => (depart = go));
  let ahead = 0; // A tester may have moved this page's clock.
  const now = () => clock() + ahead;
  const own = { write: (change, was) => (change.key === undefined ? cookies : items) && write(change, was), finds };

  const area = {
    getItem: (key) => stored().get(String(key)) ?? null,
    setItem: (key, value) => write({ key: String(key), value: String(value) }),
    removeItem: (key) => write({ key: String(key), value: null }),
    key: (number) => [...stored().keys()][number] ?? null,
  };
  const storage = new Proxy(area, {
    ownKeys: () => [...stored().keys()],
    getOwnPropertyDescriptor: (_, key) => ({ value: area.getItem(key), enumerable: true, configurable: true }),
  });

  const document = Object.assign(new EventTarget(), {
    strays: "left to the page", // See host.js.
    querySelector: () => (page.canonical === null ? null : { getAttribute: () => page.canonical }),
  });
  Object.defineProperties(document, {
    cookie: { get: cookie, set: (text) => write({ cookie: String(text) }) },
    title: { get: () => page.title },
    referrer: { get: () => page.referrer },
    visibilityState: { get: () => page.visibility },
  });

  function stored() {
    if (items === null) throw new Error("this page has no localStorage");
    return items;
  }

  function cookie() {
    if (cookies === null) throw new Error("this page may not use cookies");
    return Array.from(cookies, ([name, value]) => name + "=" + value).join("; ");
  }

  /* `was` has the values that are known to be replaced: where the page finds another one, somebody else has written it in the
     meantime, and it stays. */
  function write({ cookie: text, key, value }, was) {
    const change = key === undefined ? { cookie: text } : { key, value };
    if (change.key !== undefined) stored();
    else if (cookies === null) cookie();
    const what = change.key ?? change.cookie.split("=")[0] + /; domain=[^;]*|$/.exec(change.cookie)[0] + "=";
    if (!change.key?.startsWith(QUEUE)) Object.assign(change, { what, was: was ?? unsent.get(what)?.was ?? [...new Set([...known(change), ...writes.known(what)])] });
    apply(change);
    writes.add(own, what, ++done, change);
    if (!change.key?.startsWith(QUEUE)) owed = done;
    else journaled(change.key, change.value);
    if (!unsent.size) queueMicrotask(flush);
    unsent.delete(what);
    unsent.set(what, change);
  }

  function known({ cookie, key }) {
    const name = key ?? halves(cookie)[0];
    const kind = key === undefined ? 0 : 1;
    return [told[kind], [cookies, items][kind]].map((values) => values?.get(name) ?? null);
  }
  /* Whether the page has what a write of another page was to replace. */
  function finds({ was, cookie, key }) {
    return !was || was.includes((key === undefined ? told[0]?.get(halves(cookie)[0]) : told[1]?.get(key)) ?? null);
  }

  /* What Python changes its mind of at once, the page never sees. */
  function flush() {
    if (unsent.size) post({ writes: [...unsent.values()], number: done, confirm: owed > kept });
    unsent.clear();
  }

  /* Resolves when the page has done what has been written of the visitor so far; null where it has done so already. */
  function keeping() {
    if (owed <= kept) return null;
    return new Promise((go) => {
      senders.push([owed, go]);
      setTimeout(go, LONGEST_KEEPING);
    });
  }

  /* The page has done all writes up to a number, at a time by its own clock. */
  function confirm(number, told = now()) {
    writes.settle(own, number, told - ahead);
    release(number);
  }
  function release(number) {
    kept = Math.max(kept, number);
    senders.filter(([awaited]) => awaited <= kept).forEach(([, go]) => go());
    senders = senders.filter(([awaited]) => awaited > kept);
  }

  function apply({ cookie, key, value }) {
    if (cookie !== undefined) bake(cookie);
    else if (items === null) return;
    else if (value === null) items.delete(key);
    else items.set(key, value);
  }

  /* As the browser will, as far as the page has found out on which domain it takes cookies. */
  function bake(text) {
    const [pair, ...rest] = text.split(/; ?/);
    const attributes = new Map(rest.map((one) => [one.split("=")[0].toLowerCase(), one.slice(one.indexOf("=") + 1)]));
    const domain = (attributes.get("domain") || "").replace(/^\./, "");
    if (cookies === null || (domain && !takes(domain)) || (attributes.has("secure") && !page.secure)) return;
    const [name, value] = halves(pair);
    if (Date.parse(attributes.get("expires")) <= now()) cookies.delete(name);
    else cookies.set(name, value);
  }

  function takes(domain) {
    const within = (name, above) => name === above || name.endsWith("." + above);
    return domain === page.host || Boolean(page.domain && within(domain, page.domain) && within(page.host, domain));
  }

  /* A message takes its time, too. */
  function moveClock(told) {
    ahead = Math.abs(told - clock()) > LATE ? told - clock() : 0;
  }

  /* Writes up to a number that the page has left undone, since somebody else had written there. */
  function spare(names, number) {
    writes.drop(own, names, number);
  }

  /* Takes what the page tells; `light` leaves out what other pages have left for it. */
  function see(seen) {
    page = { ...page, ...seen };
    moveClock(seen.now);
    cookies = seen.cookie === null ? null : new Map(seen.cookie.split("; ").filter(Boolean).map(halves));
    const queues = seen.light && items ? [...items].filter(([key]) => key.startsWith(QUEUE)) : [];
    items = seen.items && new Map([...queues, ...Object.entries(seen.items)]);
    told = [cookies && new Map(cookies), items && new Map(items)];
    whole ||= !seen.light;
    release(seen.done);
    writes.see(own, { ...seen, now: seen.now - ahead }).forEach(apply);
  }

  /* The anonymousId that the page has chosen for a visitor who has none; each is taken once. */
  function offer() {
    if (page.offer === taken) return undefined;
    return (taken = page.offer);
  }

  /* Whether the page has just told everything: then it need not be asked. */
  function takeWhole() {
    const was = whole;
    whole = false;
    return was;
  }

  /* What pages that are gone have left in a journal is this page's, and can be taken at once. Of two copies that may both be
     behind, each is kept; the collector keeps each event once. Returns the key; none without localStorage. */
  function inherit(key, text, isLatest) {
    if (!items) return null;
    const free = isLatest || !items.has(key) ? key : key + "+";
    own.write({ key: free, value: freed(text) });
    return free;
  }
  /* Another page has it now. */
  function lose(key) {
    items?.delete(key);
  }

  /* The page is gone and can keep nothing any more. */
  function leave() {
    writes.leave(own);
    release(Infinity);
    depart();
  }

  /* How many characters are held of what the page has told. */
  function size() {
    const held = (text) => (text ? text.length : 0);
    return held(page.cookie) + [...(items || [])].reduce((sum, [key, value]) => sum + key.length + value.length, 0);
  }

  return { document, see, now, offer, flush, keeping, confirm, spare, takeWhole, inherit, lose, leave, departure, isGone: () => own.gone, size, storage: () => (stored(), storage) };
}

/* What the page's function doesn't say in time, the request goes without. */
async function withHeaders(init, headers, complain) {
  try {
    const late = new Promise((resolve) => setTimeout(resolve, LONGEST_KEEPING));
    return { ...init, headers: { ...init.headers, ...(await Promise.race([headers(), late])) } };
  } catch (error) {
    complain("The page's function for headers failed, and its headers are left out: " + error);
    return init;
  }
}

/* The page's window, as Python sees it: the worker's own global object with the page's properties laid over it.
   `headers` is the page's function for those of every request. Where all pages `meet` here, none has to be locked out. */
function makeWindow(world, about, line, { sendBeacon, meets, headers, complain }) {
  const { document } = world;
  const target = new EventTarget();
  const heard = new Set();
  const listen = (name, listener) => (heard.add(listener), target.addEventListener(name, listener));
  const { locks } = navigator;
  const look = async () => world.see(await line.ask({ look: true }));
  // Held until the page has done what was written under it, too. A page that is gone answers nothing and takes nothing over: it
  // must not keep others waiting.
  const pause = () => new Promise((go) => setTimeout(go, LONGEST_KEEPING));
  const written = () => Promise.race([line.ask({ look: true }), world.departure, pause()]);
  const locked = (name, work) => locks.request(name, async (lock) => {
    await Promise.race([look(), world.departure]);
    if (!world.isGone()) return (await work(lock), await written());
  });
  const request = (name, work) => (world.isGone() ? undefined : meets && world.takeWhole() ? work(null) : locked(name, work));
  const own = {
    document,
    location: about.location,
    navigator: overlaid(navigator, { ...about.navigator, locks: locks && { request, query: () => locks.query() }, sendBeacon }),
    satsumaOffer: world.offer,
    Date: overlaid(Date, { now: world.now }),
    fetch(url, init) {
      const posts = init?.method === "POST";
      const keeping = posts && world.keeping();
      const go = () => (posts && headers ? withHeaders(init, headers, complain).then((all) => fetch(url, all)) : fetch(url, init));
      return keeping ? keeping.then(go) : go();
    },
    addEventListener: listen,
    removeEventListener: (...given) => target.removeEventListener(...given),
  };
  Object.defineProperty(own, "localStorage", { get: world.storage });
  /* Something happened to the page. */
  function happen(name, given) {
    (name === "visibilitychange" ? document : target).dispatchEvent(Object.assign(new Event(name), given));
  }
  const listeners = () => [...heard].map((one) => (typeof one === "function" ? one : one.handleEvent));
  return { window: overlaid(self, own), happen, listeners };
}

function overlaid(below, own) {
  function get(_, name) {
    if (Object.hasOwn(own, name)) return own[name];
    const value = below[name];
    // The browser's functions, which have no prototype as classes have, want the real object.
    return typeof value === "function" && !value.prototype ? value.bind(below) : value;
  }
  return new Proxy(below, { get });
}
