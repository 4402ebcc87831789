/* What Python has written and pages have yet to do. A worker has one page; the pages of a service worker share this, so that
   each sees at once what Python has decided for another one. A page is known by its world (page_mirror.js). */
const CONFIRMED = 5000; // Milliseconds that another page may take to tell how things stood before a write.
const UNCONFIRMED = 60000; // A page that does not answer for so long is frozen.
const INHERITED = 10000;
const MOST_WRITTEN = 4000000; // Characters. What is left out is done by its page all the same, but seen later by others.

function makeWrites() {
  let entries = []; // In the order in which they were written; of each page and name the last one.

  function add(owner, what, number, change) {
    entries = entries.filter((entry) => entry.owner !== owner || entry.what !== what);
    entries.push({ owner, what, number, change, at: clock(), size: what.length + (change.cookie ?? change.value ?? "").length });
    fit();
  }

  /* Within bounds: what is done goes first, then the oldest. */
  function fit() {
    let over = entries.reduce((sum, { size }) => sum + size, 0) - MOST_WRITTEN;
    for (const entry of over > 0 ? [...entries.filter(({ done }) => done), ...entries] : []) {
      if (over <= 0 || !entries.includes(entry)) continue;
      entries.splice(entries.indexOf(entry), 1);
      over -= entry.size;
    }
  }

  /* A page tells how things stand: returns what has to be laid over that. */
  function see(owner, told) {
    if (!told.done) adopt(owner);
    settle(owner, told.done, told.now);
    tidy();
    const open = (entry) => !entry.done || (entry.owner !== owner && told.now <= entry.done);
    return [...latest().values()].filter(open).map(({ change }) => change);
  }

  /* A page has done its writes up to a number: what becomes of them there later, is not for us to undo. */
  function settle(owner, number, now) {
    const settled = entries.filter((entry) => entry.owner === owner && !entry.done && entry.number <= number);
    settled.forEach((entry) => (entry.done = now));
    const last = latest();
    // Another page had the last word meanwhile, but this one was slower to write.
    for (const { what, change } of settled) {
      const { change: newest, owner: other, done } = last.get(what);
      if (other !== owner && done) owner.write(newest, [valueOf(change)]);
    }
  }

  function valueOf({ cookie, value }) {
    return cookie === undefined ? value : /^[^=]*=([^;]*)/.exec(cookie)[1] || null;
  }

  /* What of a name pages have been told to write lately. */
  function known(what) {
    return entries.filter((entry) => entry.what === what).map(({ change }) => valueOf(change));
  }

  function drop(owner, names, number) {
    entries = entries.filter((entry) => entry.owner !== owner || entry.number > number || !names.includes(entry.what));
  }

  function latest() {
    return new Map(entries.map((entry) => [entry.what, entry]));
  }

  function tidy() {
    const now = clock();
    const waiting = new Set(entries.filter((entry) => !entry.done).map(({ what }) => what));
    entries = entries.filter((entry) => now - entry.at < (entry.done && !waiting.has(entry.what) ? CONFIRMED : UNCONFIRMED));
  }

  /* What a page that is gone has left undone, the next one does where nobody else has written since. Journals are handed over
     as what they are. */
  function adopt(owner) {
    const left = entries.filter((entry) => entry.owner.gone && !entry.done);
    const last = latest();
    const now = clock();
    entries = entries.filter((entry) => !left.includes(entry));
    const lasts = ({ change: { key } }) => !key?.startsWith(QUEUE);
    const stands = (entry) => last.get(entry.what) === entry && now - entry.at < INHERITED && owner.finds(entry.change);
    for (const { change } of left.filter(lasts).filter(stands)) owner.write(change, change.was);
  }

  return { add, see, settle, known, drop, leave: (owner) => (owner.gone = true) };
}
