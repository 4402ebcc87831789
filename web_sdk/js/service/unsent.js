/* What waits to be sent, kept where it outlives tabs and the service worker: in IndexedDB. An entry is the journal of a page
   (the events without an answer, under its key in localStorage), or a body of calls that a page had to leave behind.
   Storage may be full, forbidden or evicted at any time: then what this service worker knows is what there is. */
const MOST_UNSENT = 200;
const MOST_UNSENT_CHARACTERS = 4000000;
const DATABASE = "satsuma", UNSENT = "unsent";

function makeUnsent() {
  const entries = new Map(); // The oldest first.
  const changed = new Set();
  const cleared = new Set(); // Sources of which nothing may be kept that was there before.
  let opening, writing, characters = 0;
  const loaded = load();

  function open() {
    opening ??= new Promise((resolve, reject) => {
      const request = indexedDB.open(DATABASE, 1);
      request.onupgradeneeded = () => request.result.createObjectStore(UNSENT);
      request.onerror = () => reject(request.error);
      request.onsuccess = () => {
        const database = request.result;
        database.onclose = () => (opening = null);
        database.onversionchange = () => (database.close(), (opening = null));
        resolve(database);
      };
    });
    return opening;
  }

  async function within(mode, work) {
    try {
      const transaction = (await open()).transaction(UNSENT, mode);
      const asked = work(transaction.objectStore(UNSENT));
      await new Promise((go, fail) => {
        transaction.oncomplete = go;
        transaction.onabort = () => fail(transaction.error);
      });
      return asked;
    } catch (error) {
      opening = null;
    }
  }

  /* What an earlier life of the service worker has left. */
  async function load() {
    const found = [];
    await within("readonly", (store) => {
      store.openCursor().onsuccess = ({ target }) => {
        if (!target.result || found.length >= MOST_UNSENT) return;
        found.push([target.result.key, target.result.value]);
        target.result.continue();
      };
    });
    found.sort(([, a], [, b]) => a.at - b.at);
    const newer = [...entries];
    entries.clear();
    characters = 0;
    for (const [key, entry] of [...found.filter(([key]) => !changed.has(key)), ...newer]) hold(key, entry);
    for (const source of cleared) clear(source);
    fit();
  }

  function hold(key, entry) {
    entries.set(key, entry);
    characters += entry.text.length;
  }
  function drop(key) {
    if (!entries.has(key)) return;
    characters -= entries.get(key).text.length;
    entries.delete(key);
  }
  function fit() {
    for (const key of entries.keys()) {
      if (entries.size <= MOST_UNSENT && characters <= MOST_UNSENT_CHARACTERS) return;
      remove(key);
    }
  }

  /* What is written anew stays as old as it was. */
  function put(key, entry) {
    const before = entries.get(key);
    if (before) characters -= before.text.length;
    hold(key, { ...entry, at: before ? before.at : Date.now() });
    write(key);
    fit();
  }
  function remove(key) {
    drop(key);
    write(key);
  }
  /* Nothing of a source is to be sent any more. */
  function clear(writeKey) {
    cleared.add(writeKey);
    for (const [key, entry] of entries) if (entry.writeKey === writeKey) remove(key);
  }

  /* The last word on each key, one transaction at a time. */
  function write(key) {
    changed.add(key);
    writing ??= (async () => {
      await loaded;
      while (changed.size) {
        const keys = [...changed];
        changed.clear();
        await within("readwrite", (store) => {
          for (const key of keys) entries.has(key) ? store.put(entries.get(key), key) : store.delete(key);
        });
      }
      writing = null;
    })();
  }

  return { entries, loaded, put, remove, clear, written: () => writing };
}
