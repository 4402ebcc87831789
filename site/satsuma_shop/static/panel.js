/* The tester's panel: what the browser really holds, what the collector really stored, and buttons that break it for real.
   Everything shown is set as text, never as HTML: cookies and events are whatever somebody wrote into them. */
(() => {
  "use strict";
  const OPEN = "qa-open", ACTION = "qa-action", EVERY = 1000, SHOWN = 60;

  function make(tag, props = {}, ...children) {
    const element = Object.assign(document.createElement(tag), props);
    element.append(...children);
    return element;
  }

  let busy = false;
  const decode = (text) => { try { return decodeURIComponent(text); } catch { return text; } };
  const cookieNames = () => document.cookie.split("; ").filter(Boolean).map((pair) => pair.split("=")[0]);
  const identity = () => {
    if (!window.analytics || !analytics.initialized || typeof analytics.user !== "function") return null;
    const user = analytics.user();
    return { userId: user.id() ?? null, anonymousId: user.anonymousId() ?? null, traits: user.traits() ?? {} };
  };

  /* What the stores say without asking the SDK: asking it would heal them. */
  function held() {
    const cookies = Object.fromEntries(document.cookie.split("; ").filter(Boolean).map((pair) => {
      const at = pair.indexOf("=");
      return [pair.slice(0, at), decode(pair.slice(at + 1))];
    }));
    const read = (key) => { try { return JSON.parse(localStorage.getItem(key)); } catch { return localStorage.getItem(key); } };
    return {
      userId: read("ajs_user_id") ?? cookies.ajs_user_id ?? null,
      anonymousId: cookies.ajs_anonymous_id ?? read("ajs_anonymous_id") ?? null,
    };
  }

  /* Each action: what it does, and what the specification says should follow. */
  const clearCookies = () => { for (const name of cookieNames()) if (name.startsWith("ajs_")) document.cookie = `${name}=; path=/; max-age=0`; };
  const clearStorage = () => localStorage.clear();
  const SAME = "The same visitor: the ids come back from the store that still has them, and both stores are healed.";
  const NEW = "A new visitor: no store knows the old ids, so a new anonymousId is made and nobody is identified.";
  const ACTIONS = [
    ["expire", "Let cookies expire", async () => {
      for (const pair of document.cookie.split("; ")) if (pair.startsWith("ajs_")) document.cookie = `${pair}; path=/; max-age=1; samesite=lax`;
      await new Promise((done) => setTimeout(done, 1500));
    }, SAME, "same"],
    ["cookies", "Clear cookies", clearCookies, SAME, "same"],
    ["storage", "Clear localStorage", clearStorage, SAME, "same"],
    ["both", "Clear both", () => { clearCookies(); clearStorage(); }, NEW, "new"],
    ["reset", "reset()", () => analytics.reset(), "A new visitor: reset removes the userId and the anonymousId, and the next call makes a new one.", "new"],
  ];

  const tab = make("button", { className: "qa-tab", type: "button", textContent: "Who am I?" });
  tab.setAttribute("aria-expanded", "false");
  const close = make("button", { type: "button", textContent: "×", ariaLabel: "Close the panel" });
  const who = make("dl"), cookies = make("div"), storage = make("div"), events = make("ul", { className: "qa-events" });
  const buttons = make("div", { className: "qa-actions" }), verdict = make("div"), note = make("p", { className: "none" });
  const panel = make("aside", { className: "qa", hidden: true, ariaLabel: "Tester's panel" },
    make("header", {}, make("h2", { textContent: "Who does analytics think you are?" }), close),
    make("div", { className: "qa-body" },
      make("h3", { textContent: "Identity" }), who,
      make("h3", { textContent: "Break it" }), buttons, verdict,
      make("h3", { textContent: "Cookies" }), cookies,
      make("h3", { textContent: "localStorage" }), storage,
      make("h3", { textContent: "Stored by the collector" }), note, events));
  document.body.append(tab, panel);

  for (const [key, label, act] of ACTIONS) {
    buttons.append(make("button", { type: "button", textContent: label, onclick: async () => {
      for (const button of buttons.children) button.disabled = true;
      // The panel stops looking: to ask the SDK who the visitor is heals the very stores that are being broken.
      busy = true;
      const before = held();
      await act();
      sessionStorage.setItem(ACTION, JSON.stringify({ key, before }));
      location.reload();
    } }));
  }

  /* After an action the page was loaded anew: say what should have happened and what did. */
  function judge() {
    const kept = sessionStorage.getItem(ACTION);
    const now = identity();
    if (!kept || !now) return;
    sessionStorage.removeItem(ACTION);
    const { key, before } = JSON.parse(kept);
    const [, label, , rule, expected] = ACTIONS.find(([name]) => name === key);
    const same = now.anonymousId === before.anonymousId && now.userId === before.userId;
    const fresh = now.anonymousId !== before.anonymousId && now.userId === null;
    const holds = expected === "same" ? same : fresh;
    const did = same ? "both ids are what they were" : fresh ? "the anonymousId is new and there is no userId" : "the ids changed in part";
    verdict.className = "qa-verdict" + (holds ? "" : " differs");
    verdict.replaceChildren(make("p", { textContent: `${label}. ${rule}` }), make("p", { textContent: `${holds ? "So it did" : "It did otherwise"}: ${did}.` }));
  }

  /* Sets children only when what they show has changed, so that nothing flickers and selections stay. */
  function show(target, state, render) {
    const key = JSON.stringify(state);
    if (target.dataset.state === key) return;
    target.dataset.state = key;
    target.replaceChildren(...[render(state)].flat());
  }

  function table(className, head, rows) {
    if (!rows.length) return make("p", { className: "none", textContent: "Nothing." });
    const row = (cells, tag) => make("tr", {}, ...cells.map((cell) => make(tag, { textContent: cell })));
    return make("table", { className }, make("thead", {}, row(head, "th")), make("tbody", {}, ...rows.map((cells) => row(cells, "td"))));
  }

  function left(expires) {
    if (!expires) return "session";
    const seconds = Math.max(0, Math.round((expires - Date.now()) / 1000));
    const days = Math.round(seconds / 86400);
    return days > 1 ? `${days} days` : seconds > 120 ? `${Math.round(seconds / 60)} min` : `${seconds} s`;
  }

  async function readCookies() {
    if (!window.cookieStore) return document.cookie.split("; ").filter(Boolean).map((pair) => [pair.split("=")[0], decode(pair.slice(pair.indexOf("=") + 1)), "unknown"]);
    const all = await cookieStore.getAll();
    return all.map(({ name, value, expires }) => [name, decode(value), left(expires)]).sort();
  }

  const stored = new Map();
  let seq = 0;
  async function readEvents() {
    const answer = await fetch(`/qa/events?after=${seq}`);
    const { events: fresh = [], error } = await answer.json();
    note.textContent = error || (stored.size || fresh.length ? "" : "Nothing yet.");
    const me = held();
    for (const event of fresh) {
      seq = Math.max(seq, event.seq);
      stored.set(event.seq, event);
      const mine = event.anonymousId === me.anonymousId || (me.userId && event.userId === me.userId);
      events.prepend(line(event, mine));
    }
    while (events.children.length > SHOWN) events.lastChild.remove();
  }

  function line(event, mine) {
    const name = event.event || event.name || event.properties?.title || (event.type === "identify" ? event.userId || "traits only" : "");
    const pre = make("pre");
    const details = make("details", { className: mine ? "" : "other" }, make("summary", {},
      make("span", { className: "type", textContent: event.type }),
      make("span", { className: "name", textContent: name }),
      make("time", { textContent: new Date(event.receivedAt).toLocaleTimeString([], { hour12: false }) })), pre);
    details.ontoggle = () => { pre.textContent = details.open ? JSON.stringify(event, null, 2) : ""; };
    return make("li", {}, details);
  }

  async function refresh() {
    judge();
    const now = identity();
    const boot = window.analytics && analytics.bootMilliseconds;
    show(who, { now, boot }, ({ now, boot }) => {
      const rows = now ? [["userId", now.userId ?? "none: anonymous"], ["anonymousId", now.anonymousId], ["traits", JSON.stringify(now.traits)], ["Python was up", `after ${boot} ms`]] : [["state", "Python is starting"]];
      return rows.flatMap(([key, value]) => [make("dt", { textContent: key }), make("dd", { textContent: value })]);
    });
    const keys = Object.keys(localStorage).sort();
    show(storage, keys.map((key) => [key, localStorage.getItem(key)]), (rows) => table("", ["key", "value"], rows));
    show(cookies, await readCookies(), (rows) => table("cookie-table", ["name", "value", "expires in"], rows));
    await readEvents().catch(() => { note.textContent = "The shop can't be reached."; });
  }

  let timer = null;
  function toggle(open) {
    panel.hidden = !open;
    tab.hidden = open;
    tab.setAttribute("aria-expanded", String(open));
    sessionStorage.setItem(OPEN, open ? "1" : "");
    clearTimeout(timer);
    if (open) tick();
  }
  async function tick() {
    if (!busy) await refresh();
    clearTimeout(timer);
    if (!panel.hidden) timer = setTimeout(tick, EVERY);
  }

  tab.onclick = () => { toggle(true); close.focus(); };
  close.onclick = () => { toggle(false); tab.focus(); };
  document.addEventListener("keydown", (event) => {
    if (event.target.closest("input, textarea, select") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "q" || event.key === "Q") toggle(panel.hidden);
    if (event.key === "Escape" && !panel.hidden) toggle(false);
  });
  toggle(sessionStorage.getItem(OPEN) === "1");
})();
