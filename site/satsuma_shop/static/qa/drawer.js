/* The tester's drawer: who the visitor is, what the browser holds, what the collector stored, and buttons that break it. */
import { ACTIONS, grouped, judge, perform, ruleOf } from "./actions.js";
import { chip, make, show, until } from "./dom.js";
import { Feed, eventName, told } from "./events.js";
import { fruit } from "./people.js";
import { bootedPage, held, look } from "./stores.js";

const OPEN = "qa-open", PENDING = "qa-pending", CUT = "qa-cut", LAST = "qa-last";
const EVERY = 1000, SHOWN = 60, BEFORE = 40;
const YEAR = 365 * 864e5;

const remember = (key, value) => sessionStorage.setItem(key, JSON.stringify(value));
const recall = (key) => { try { return JSON.parse(sessionStorage.getItem(key)); } catch { return null; } };

export function openDrawer(about) {
  let busy = false, timer = null, feed = null;
  const parts = {
    who: make("div", { className: "qa-who" }), verdict: make("div", { className: "qa-verdict", role: "status" }),
    actions: make("div", { className: "qa-actions" }), cookies: make("div"), items: make("div"),
    delivery: make("dl", { className: "qa-numbers" }), events: make("ol", { className: "qa-events" }), note: make("p", { className: "qa-none" }),
  };
  const tab = make("button", { className: "qa-tab", type: "button", textContent: "Who am I?", "aria-expanded": "false", "aria-controls": "qa" });
  const close = make("button", { type: "button", className: "qa-close", textContent: "×", ariaLabel: "Close the drawer" });
  const section = (title, ...children) => make("section", {}, make("h3", { textContent: title }), ...children);
  const links = make("p", { className: "qa-links" });
  if (about.lab) links.append(make("a", { href: `${about.lab}/lab`, textContent: "Identity lab" }));
  if (about.console) links.append(make("a", { href: about.console, textContent: "Console" }));
  const drawer = make("aside", { className: "qa", id: "qa", hidden: true, ariaLabel: "Tester's drawer" },
    make("header", {}, make("h2", { textContent: "Who am I?" }), links, close),
    make("div", { className: "qa-body", tabIndex: 0, role: "region", ariaLabel: "What is known" },
      parts.who, section("Break it", parts.actions, parts.verdict),
      section("Cookies", parts.cookies), section("localStorage", parts.items), section("On the way to the collector", parts.delivery),
      section("Stored by the collector", parts.note, parts.events)));
  document.body.append(tab, drawer);

  for (const [label, actions] of grouped) {
    const buttons = actions.map((action) => make("button", { type: "button", textContent: action.label, "data-action": action.key, onclick: () => act(action) }));
    parts.actions.append(make("div", { role: "group", ariaLabel: label }, make("h4", { textContent: label }), make("div", {}, ...buttons)));
  }

  async function act(action) {
    // The drawer stops looking: nothing may ask the SDK who this is while its stores are being broken.
    busy = true;
    offer();
    say(action, held(), null);
    try {
      const memory = await perform(action, about);
      if (action.key === "mend") memory.cut = recall(CUT);
      if (action.group === "network" && action.stays) remember(CUT, { run: memory.run, began: memory.began, seq: memory.seq });
      if (!action.stays) {
        remember(PENDING, memory);
        if (memory.go) location.assign(memory.go);
        else location.reload();
        return;
      }
      await conclude(action, memory, await judge(action, memory));
    } catch (error) {
      say(action, held(), { ok: false, checks: [{ ok: false, text: `it could not be done: ${error.message}` }] });
    }
    busy = false;
    offer();
  }

  async function judgePending() {
    const memory = recall(PENDING);
    if (!memory) return void restoreLast();
    sessionStorage.removeItem(PENDING);
    const action = ACTIONS.find(({ key }) => key === memory.key);
    busy = true;
    offer();
    say(action, memory.before, null);
    await bootedPage();
    await conclude(action, memory, await judge(action, memory));
    busy = false;
    offer();
  }

  async function conclude(action, memory, outcome) {
    remember(LAST, { key: action.key, before: memory.before, outcome });
    if (!drawer.hidden) await refresh();
    say(action, memory.before, outcome);
  }

  function restoreLast() {
    const last = recall(LAST);
    const action = last && ACTIONS.find(({ key }) => key === last.key);
    if (action && weather() && action.group === "network") say(action, last.before, last.outcome);
  }

  /* What should follow by the specification, and what did. */
  function say(action, before, outcome) {
    const state = outcome ? (outcome.ok ? "agrees" : "differs") : "waits";
    parts.verdict.dataset.state = state;
    parts.verdict.dataset.action = action.key;
    const what = action.own ? "what we promise" : "the specification";
    const head = { agrees: `Agrees with ${what}`, differs: `Differs from ${what}`, waits: "Looking …" }[state];
    parts.verdict.replaceChildren(
      make("p", { className: "qa-mark" }, make("b", { textContent: action.label }), make("span", { textContent: head })),
      make("p", {}, make("em", { textContent: "Should: " }), ruleOf(action, before)),
      ...(outcome ? [make("p", {}, make("em", { textContent: "Did: " })), make("ul", {}, ...outcome.checks.map(({ ok, text }) => make("li", { className: ok ? "ok" : "off", textContent: text })))] : []));
    if (outcome && !drawer.hidden) parts.verdict.scrollIntoView({ block: "nearest" });
  }

  const weather = () => /(?:^|; )grove_weather=(\w+)/.exec(document.cookie)?.[1] || "";
  const server = () => (/(?:^|; )grove_server=yes/.test(document.cookie) ? "yes" : "no");
  const mistakes = () => (/(?:^|; )grove_mistakes=yes/.test(document.cookie) ? "yes" : "no");
  const consent = () => (/(?:^|; )grove_consent=no/.test(document.cookie) ? "no" : "yes");

  /* Only what makes sense now can be pressed. */
  function offer() {
    for (const button of parts.actions.querySelectorAll("button")) {
      const action = ACTIONS.find(({ key }) => key === button.dataset.action);
      const fits = (action.weather === undefined || Boolean(action.weather) === Boolean(weather())) && (!action.consent || action.consent === consent()) && (!action.mistakes || action.mistakes === mistakes()) && (!action.served || action.served === server());
      button.hidden = !fits;
      button.disabled = busy || !window.analytics?.initialized;
    }
  }

  async function refresh() {
    offer();
    const now = await look();
    show(parts.who, [now.anonymousId, now.userId, now.traits, now.cookie, now.storage, now.boot], () => identity(now));
    show(parts.cookies, now.cookies.map(({ name, value, expires }) => [name, value, left(expires)]), () => cookieList(now.cookies));
    show(parts.items, now.items, (items) => table(["key", "value"], items));
    show(parts.delivery, now.delivery, (report) => numbers(report));
    await readEvents();
  }

  async function readEvents() {
    feed ??= await Feed.last(BEFORE);
    const fresh = await feed.read();
    const me = held();
    for (const event of fresh) parts.events.prepend(line(event, event.anonymousId === me.anonymousId || (me.userId && event.userId === me.userId)));
    while (parts.events.children.length > SHOWN) parts.events.lastChild.remove();
    parts.note.textContent = feed.error || (parts.events.children.length ? "" : "Nothing yet.");
  }

  function toggle(open) {
    drawer.hidden = !open;
    tab.hidden = open;
    tab.setAttribute("aria-expanded", String(open));
    document.documentElement.classList.toggle("qa-opened", open);
    sessionStorage.setItem(OPEN, open ? "1" : "");
    clearTimeout(timer);
    if (open) tick();
  }

  async function tick() {
    clearTimeout(timer);
    if (!busy) await refresh();
    if (!drawer.hidden) timer = setTimeout(tick, EVERY);
  }

  tab.onclick = () => { toggle(true); close.focus(); };
  close.onclick = () => { toggle(false); tab.focus(); };
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !drawer.hidden) { toggle(false); tab.focus(); }
    if (event.target.closest("input, textarea, select") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "q" || event.key === "Q") toggle(drawer.hidden);
  });
  toggle(sessionStorage.getItem(OPEN) === "1");
  judgePending().then(() => until(() => window.analytics?.initialized, 40)).then(offer);
}

function identity(now) {
  const name = now.traits.name || now.traits.firstName;
  const who = now.userId ? (name ? `You are ${name}.` : "You are known.") : name ? `You may be ${name}, but have no userId.` : now.anonymousId ? "You are anonymous." : "You are nobody yet.";
  const person = { users: now.userId ? [now.userId] : [], devices: now.anonymousId ? [now.anonymousId] : [] };
  const places = (key) => [["cookie", now.cookie[key]], ["localStorage", now.storage[key]]].filter(([, id]) => id && id === now[key]).map(([place]) => place).join(" and ") || "nowhere";
  const row = (key) => [make("dt", { textContent: key }), make("dd", {}, chip(now[key], key), make("span", { className: "qa-id", textContent: now[key] ? String(now[key]).slice(6) : "" }), make("small", { textContent: now[key] ? `in ${places(key)}` : "" }))];
  const traits = Object.keys(now.traits).length ? JSON.stringify(now.traits) : "none";
  return [
    fruit(person, now.userId ? "One person, known by a userId" : "A visitor whom nobody knows"),
    make("p", { className: "qa-sentence", textContent: who }),
    make("dl", {}, ...row("userId"), ...row("anonymousId"), make("dt", { textContent: "traits" }), make("dd", { className: "qa-id", textContent: traits }),
      make("dt", { textContent: "Python" }), make("dd", { textContent: now.boot === null ? "is starting" : `up after ${now.boot} ms` })),
  ];
}

function table(head, rows) {
  if (!rows.length) return make("p", { className: "qa-none", textContent: "Nothing." });
  const row = (cells, tag) => make("tr", {}, ...cells.map((cell) => make(tag, { textContent: cell })));
  return make("table", {}, make("thead", {}, row(head, "th")), make("tbody", {}, ...rows.map((cells) => row(cells, "td"))));
}

function left(expires) {
  if (expires === undefined) return "not told";
  if (expires === null) return "with the session";
  const seconds = Math.max(0, Math.round((expires - Date.now()) / 1000));
  const days = Math.floor(seconds / 86400);
  const [hours, minutes, rest] = [Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60, seconds % 60].map((number) => String(number).padStart(2, "0"));
  return days ? `${days} d ${hours}:${minutes}:${rest}` : `${hours}:${minutes}:${rest}`;
}

function cookieList(all) {
  if (!all.length) return make("p", { className: "qa-none", textContent: "None that scripts can see." });
  return make("ul", { className: "qa-cookies" }, ...all.map(({ name, value, expires }) => {
    const life = make("progress", { max: YEAR, value: expires ? Math.min(YEAR, expires - Date.now()) : 0, ariaLabel: `What is left of ${name}'s year` });
    return make("li", {}, make("code", { textContent: name }), make("time", { textContent: left(expires) }), make("span", { className: "qa-id", textContent: value }), expires ? life : null);
  }));
}

function numbers(report) {
  if (!report) return [make("dt", { textContent: "Python is starting" }), make("dd", { textContent: "…" })];
  const { dropped, ...counts } = report;
  const rows = Object.entries({ ...counts, dropped: Object.values(dropped || {}).reduce((sum, count) => sum + count, 0) });
  return rows.map(([key, value]) => make("div", { className: value ? "some" : "" }, make("dt", { textContent: key }), make("dd", { textContent: value })));
}

function line(event, mine) {
  const pre = make("pre", { tabIndex: 0 });
  const details = make("details", { className: mine ? "mine" : "" }, make("summary", {},
    event.userId ? chip(event.userId, "userId") : chip(event.anonymousId, "anonymousId"),
    make("b", { textContent: event.type }), make("span", { textContent: told(event) || eventName(event) }),
    make("time", { textContent: new Date(event.receivedAt).toLocaleTimeString([], { hour12: false }) })), pre);
  details.ontoggle = () => { pre.textContent = details.open ? JSON.stringify(event, null, 2) : ""; };
  return make("li", {}, details);
}

