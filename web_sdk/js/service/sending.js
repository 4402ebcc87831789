/* Sends what waits in `unsent` and what no page's Python is about to send itself: as long as the event lasts for which the
   service worker was woken, again at its next start, and when the browser says that the network is there (Background Sync).
   The collector keeps each event once, by its messageId. */
const SYNC = "satsuma";
const FIRST_PAUSE = 200;
const LONGEST_PAUSE = 8000;
const SENDING_MILLISECONDS = 25000; // The browser ends what takes longer than a minute or so.
const MOST_PORTION = 60000; // Characters; a collector takes more.

/* `sees(key)` tells whether a page's Python sees to an entry, once `sweep` has found out which pages are gone. */
function makeSending(unsent, sees, sweep) {
  let synced = false;
  let going;
  let hurry = () => {};

  /* Registered with the call: once the visitor is gone it is too late for that. */
  function expect() {
    const { sync, active } = self.registration;
    if (synced || !sync || active?.state !== "activated") return;
    synced = true;
    sync.register(SYNC).catch(() => (synced = false));
  }

  /* Resolves when nothing waits any more; rejects where something does, so that the browser tries again later. */
  async function synchronise(last) {
    await run();
    synced = false;
    if (unsent.entries.size && !last) {
      synced = true;
      throw new Error("events wait for the network");
    }
  }

  function run() {
    hurry();
    going ??= round().finally(() => (going = null));
    return going;
  }

  async function round() {
    const end = performance.now() + SENDING_MILLISECONDS;
    await unsent.loaded;
    for (let pause = FIRST_PAUSE; unsent.entries.size; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
      await sweep();
      // What is older goes first: where that fails, nothing newer overtakes it.
      for (const [key, entry] of [...unsent.entries]) if (!sees(key) && !(await send(key, entry))) break;
      if (!unsent.entries.size || performance.now() + pause > end) return;
      await new Promise((go) => setTimeout((hurry = go), pause));
    }
  }

  /* An entry leaves when all of it has an answer, unless something newer stands in its place. Returns false where it has none. */
  async function send(key, entry) {
    for (const body of bodies(entry)) {
      if (unsent.entries.get(key) !== entry) return true;
      if (!(await answered(entry.url, body))) return false;
    }
    if (unsent.entries.get(key) === entry) unsent.remove(key);
    return true;
  }

  async function answered(url, body) {
    try {
      const { status } = await fetch(url, { method: "POST", body, keepalive: body.length < MOST_PORTION });
      // What is refused for what it is will be so again.
      return status < 500 && status !== 429 && status !== 408;
    } catch (error) {
      return false;
    }
  }

  function bodies({ calls, writeKey, text, ahead }) {
    const sentAt = new Date(Date.now() + ahead).toISOString();
    if (calls) return [JSON.stringify({ ...JSON.parse(text), sentAt })];
    const portions = [[]];
    let size = 0;
    for (const event of JSON.parse(text).events) {
      const length = JSON.stringify(event).length;
      if (size && size + length > MOST_PORTION) portions.push([]);
      size = portions[portions.length - 1].length ? size + length : length;
      portions[portions.length - 1].push(event);
    }
    return portions.filter(({ length }) => length).map((batch) => JSON.stringify({ batch, sentAt, writeKey }));
  }

  return { expect, synchronise, run };
}
