/* Plays a flow step by step: each step is really done in a device's page, and checked. */
import { chip, make, pause, short, show } from "../qa/dom.js";
import { eventName, newest, stored, told, urlOf } from "../qa/events.js";
import { agrees } from "../qa/facts.js";
import { fruit, people } from "../qa/people.js";
import { check } from "./checks.js";
import { Device } from "./device.js";

const PASSED = "lab-passed";
const WATCH = 700, BREATH = 650;

const $ = (selector) => document.querySelector(selector);
const data = JSON.parse($("#lab-data").textContent);
const lines = [...document.querySelectorAll("#steps > li")];
const buttons = { play: $("#play"), step: $("#step"), again: $("#again") };
const say = (text) => { $("#state").textContent = text; };

const flow = { devices: {}, seen: {}, since: 0, events: async () => flowEvents() };
let run = "", at = 0, playing = false, busy = false, generation = 0;

for (const figure of document.querySelectorAll("[data-device]")) {
  const name = figure.dataset.device;
  const frame = figure.querySelector("iframe");
  const origin = data.devices[name];
  if (!origin) continue;
  flow.devices[name] = Object.assign(new Device(name, frame, origin), { figure });
  const screen = figure.querySelector(".screen");
  new ResizeObserver(() => {
    const scale = screen.clientWidth / frame.offsetWidth;
    screen.style.setProperty("--scale", scale);
    screen.style.setProperty("--tall", `${screen.clientHeight / scale}px`);
  }).observe(screen);
}

const mine = (event) => Object.values(flow.devices).some(({ origin }) => urlOf(event).startsWith(`${origin}/`));
const flowEvents = () => stored(flow.since, mine, () => true);

/* What a step does, with this run's own names in it: each run's accounts are new ones. */
function filled(value) {
  if (typeof value === "string") return value.replaceAll("{run}", run);
  if (Array.isArray(value)) return value.map(filled);
  if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, filled(one)]));
  return value;
}

async function begin() {
  const mark = (generation += 1);
  busy = true;
  playing = false;
  offer();
  at = 0;
  run = Date.now().toString(36).slice(-6);
  lines.forEach((line) => { line.dataset.state = ""; line.querySelector(".checks").replaceChildren(); });
  say("The devices are made as new …");
  for (const device of Object.values(flow.devices)) {
    await device.wipe();
    flow.seen[device.name] = await device.look();
  }
  flow.since = await newest();
  if (mark !== generation) return;
  await draw();
  busy = false;
  say(`${lines.length} steps. Play them, or take one at a time.`);
  offer();
}

async function takeStep() {
  const step = filled(data.steps[at]);
  const device = flow.devices[step.device];
  const line = lines[at];
  busy = true;
  offer();
  line.dataset.state = "runs";
  lead(line, device);
  say(`Step ${at + 1} of ${lines.length}: ${step.title}`);
  let checks;
  try {
    const before = await device.look();
    const since = await newest();
    for (const action of step.do) await device.act(action);
    checks = await check(step, flow, before, since);
  } catch (error) {
    checks = [{ ok: false, text: error.message }];
  }
  line.dataset.state = agrees(checks) ? "agrees" : "differs";
  line.querySelector(".checks").replaceChildren(...checks.map(({ ok, text }) => make("li", { className: ok ? "ok" : "off", textContent: text })));
  await draw();
  at += 1;
  busy = false;
  if (at === lines.length) finish();
  offer();
}

function finish() {
  playing = false;
  const right = lines.every((line) => line.dataset.state === "agrees");
  const rule = document.querySelector("blockquote") ? "the specification says" : "it should";
  say(`${right ? "Every" : "Not every"} step did what ${rule}.`);
  $("#state").dataset.outcome = right ? "agrees" : "differs";
  if (right) sessionStorage.setItem(PASSED, JSON.stringify([...new Set([...passed(), data.id])]));
  markPassed();
}

/* The step that is played, and its device, are brought into view: on a phone they are far apart. */
function lead(line, device) {
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  for (const other of document.querySelectorAll("[data-device]")) other.toggleAttribute("data-active", other === device.figure);
  device.figure.scrollIntoView({ block: "nearest", inline: "center", behavior: calm ? "auto" : "smooth" });
  line.scrollIntoView({ block: "nearest", behavior: calm ? "auto" : "smooth" });
}

async function play() {
  playing = !playing;
  offer();
  while (playing && at < lines.length) {
    await takeStep();
    await pause(BREATH);
  }
  offer();
}

function offer() {
  const done = at >= lines.length;
  buttons.play.textContent = playing ? "Pause" : "Play";
  buttons.play.disabled = done || (busy && !playing);
  buttons.step.disabled = done || busy || playing;
  buttons.again.disabled = busy || playing;
  if (!done) delete $("#state").dataset.outcome;
}

/* Draws what is known: each device's stores, the people, the events. */
async function draw() {
  const events = await flowEvents();
  for (const device of Object.values(flow.devices)) {
    const address = device.figure.querySelector(".address");
    address.textContent = device.url ? new URL(device.url).pathname : "";
    address.title = device.url;
    show(device.figure.querySelector(".stores"), stateOf(flow.seen[device.name]), stores);
  }
  show($("#crowd"), people(events), (all) => (all.length ? all.map(portrait) : make("p", { className: "none", textContent: "Nobody yet." })));
  showThread(events);
  $("#thread").scrollTop = $("#thread").scrollHeight;
}

const stateOf = (seen) => (seen ? { cookie: seen.cookie, storage: seen.storage } : null);

function stores(state) {
  if (!state) return [];
  const place = (name, held) => [make("dt", { textContent: name }), make("dd", {}, chip(held.anonymousId, "anonymousId"), chip(held.userId, "userId"))];
  return [make("dt", { textContent: "" }), make("dd", { className: "head" }, make("span", { textContent: "anonymousId" }), make("span", { textContent: "userId" })), ...place("cookie", state.cookie), ...place("localStorage", state.storage)];
}

function portrait(person) {
  const known = person.users.length > 0;
  const ids = person.devices.length;
  const name = known ? `userId ${person.users.map(short).join(", ")}` : "A stranger";
  const why = person.joins.map((event) => `#${event.seq} ${eventName(event)}`).join(" and ");
  return make("figure", {}, fruit(person, known ? "A person known by a userId" : "A visitor whom nobody knows"),
    make("figcaption", {}, make("b", { textContent: name }), `${ids} anonymousId${ids === 1 ? "" : "s"}, ${person.events} event${person.events === 1 ? "" : "s"}`,
      why ? make("span", { textContent: `The ids met in ${why}.` }) : null));
}

function showThread(events) {
  const meet = new Set(people(events).flatMap(({ joins }) => joins.map(({ seq }) => seq)));
  show($("#thread"), events.map(({ seq }) => seq), () => (events.length ? events.map((event) => bead(event, meet.has(event.seq))) : make("li", { className: "none", textContent: "Nothing yet." })));
}

function bead(event, meets) {
  const device = Object.values(flow.devices).find(({ origin }) => urlOf(event).startsWith(`${origin}/`));
  return make("li", { className: meets ? "meets" : "" }, make("small", { textContent: `#${event.seq}` }), make("span", { className: "device", textContent: device ? device.name.split(".")[0] : "" }), make("b", { textContent: event.type }),
    make("span", { className: "what", textContent: event.type === "page" ? new URL(urlOf(event)).pathname : told(event) || eventName(event) }),
    chip(event.anonymousId, "anonymousId"), chip(event.userId, "userId"));
}

/* While something is being done, the picture follows. */
async function watch() {
  for (;;) {
    await pause(WATCH);
    if (!busy || document.hidden) continue;
    await Promise.all(Object.values(flow.devices).map(async (device) => {
      const seen = await device.look().catch(() => null);
      if (seen) show(device.figure.querySelector(".stores"), stateOf(seen), stores);
    }));
    const events = await flowEvents();
    if (busy) showThread(events);
  }
}

function passed() {
  try { return JSON.parse(sessionStorage.getItem(PASSED)) || []; } catch { return []; }
}
function markPassed() {
  for (const link of document.querySelectorAll("[data-flow]")) link.toggleAttribute("data-passed", passed().includes(link.dataset.flow));
}

buttons.play.onclick = play;
buttons.step.onclick = takeStep;
buttons.again.onclick = begin;
markPassed();
document.querySelector(".flows [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

const all = Object.values(flow.devices);
if (all.length) {
  begin().catch(() => say(`This browser does not reach ${all.map(({ origin }) => origin).join(" and ")}. Chromium and Firefox take every name under localhost for this machine; others need an entry in the hosts file.`));
  watch();
}
