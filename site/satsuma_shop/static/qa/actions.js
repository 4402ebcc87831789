/* What a tester can break. Each action does the real thing, says what the specification wants to follow, and names what
   is to be checked on the page that comes after it. */
import { pause, until } from "./dom.js";
import { eventName, newest, stored, urlOf } from "./events.js";
import { agrees, healedCheck, idChecks } from "./facts.js";
import * as stores from "./stores.js";

const SAME = { anonymousId: "same", userId: "same" };
const FRESH = { anonymousId: "new", userId: "none" };
const NOBODY = { anonymousId: "none", userId: "none" };
const WAITED = "Waited For Network";
const CALLS = 3;

async function callThrice(run) {
  for (let number = 1; number <= CALLS; number += 1) analytics.track(WAITED, { run, number });
  await until(() => analytics.delivery().queued + analytics.delivery().inflight >= CALLS, 2);
}

function cut(weather) {
  return async (memory) => {
    memory.run = `${Date.now()}`;
    memory.began = Date.now();
    stores.setCookie("grove_weather", weather);
    if (weather === "offline") {
      Object.defineProperty(Navigator.prototype, "onLine", { configurable: true, get: () => false });
      window.dispatchEvent(new Event("offline"));
    }
    await callThrice(memory.run);
    await pause(1200);
    const waiting = analytics.delivery();
    const arrived = await stored(memory.seq, (event) => event.event === WAITED && event.properties.run === memory.run, () => true);
    const count = waiting.queued + waiting.inflight;
    const kept = stores.items().filter(([key]) => key.startsWith("satsuma_queue:")).reduce((sum, [, text]) => sum + text.split(`"run":"${memory.run}"`).length - 1, 0);
    return [
      { ok: count >= CALLS, text: `${count} events wait` },
      { ok: kept === CALLS, text: `${kept} of the ${CALLS} calls are kept in localStorage, for the next page` },
      { ok: arrived.length === 0, text: arrived.length ? `${arrived.length} came through all the same` : "none of them is stored yet" },
    ];
  };
}

/* That the thing was really done, before what follows is judged. */
const done = (ok, text) => [{ ok, text }];
const nothing = ({ anonymousId, userId }) => !anonymousId && !userId;

async function expire() {
  const began = performance.now();
  await stores.expire();
  return done(nothing(stores.held().cookie), `the cookie was gone after ${((performance.now() - began) / 1000).toFixed(1)} s`);
}

async function clear(what) {
  if (what !== "storage") await stores.clearCookies();
  if (what !== "cookies") stores.clearStorage();
  const { cookie, storage } = stores.held();
  const gone = (what === "storage" || nothing(cookie)) && (what === "cookies" || nothing(storage));
  return done(gone, what === "both" ? "both were empty" : `the ${what === "cookies" ? "cookies were" : "localStorage was"} empty`);
}

const SAFARI_DAYS = 8;
const ids = (names) => names.filter((name) => name === "ajs_anonymous_id" || name === "ajs_user_id");
async function safari(memory) {
  memory.before.served = ids(stores.served()).length > 0;
  await stores.safari(SAFARI_DAYS);
  const { cookie, storage } = stores.held();
  const kept = cookie.anonymousId ? "the server’s cookies" : "nothing";
  return done(nothing(storage) && Boolean(cookie.anonymousId) === memory.before.served, `Safari left ${kept}`);
}

const noTraits = (memory, now) => done(Object.keys(now.traits).length === 0, "there are no traits");
function othersTraits(memory, now) {
  const mixed = Boolean(memory.before.traits.email) && now.traits.email === memory.before.traits.email;
  return done(Boolean(now.traits.email) && !mixed, `the traits are those of ${now.traits.name || "nobody"}`);
}

const groups = {
  stores: "Cookies and localStorage",
  people: "People and devices",
  network: "Network",
  consent: "Consent",
  shop: "The shop itself",
};

export const ACTIONS = [
  { key: "expire", group: "stores", label: "Let the cookie expire", ids: SAME, healed: true, act: expire,
    rule: "If the cookie has expired, the old id is looked for in localStorage and set in a new cookie: the same visitor, for another year." },
  { key: "cookies", group: "stores", label: "Clear cookies", ids: SAME, healed: true, act: () => clear("cookies"),
    rule: "localStorage still knows both ids and writes them into new cookies: the same visitor (the shop's own login is gone)." },
  { key: "storage", group: "stores", label: "Clear localStorage", ids: SAME, healed: true, act: () => clear("storage"), now: noTraits,
    rule: "The cookie still knows both ids and localStorage gets them back: the same visitor. Traits live in localStorage alone and are gone." },
  { key: "both", group: "stores", label: "Clear both", ids: FRESH, healed: true,
    act: () => clear("both"), now: noTraits,
    rule: "Cleared cookies and localStorage remove all ids: a completely new anonymousId, and nobody is identified." },
  { key: "safari", group: "stores", label: "Eight days later in Safari", healed: true, own: true, act: safari, now: noTraits,
    ids: (before) => (before.served ? SAME : FRESH),
    rule: (before) => (before.served ?? ids(stores.served()).length > 0)
      ? "Safari gives cookies of scripts seven days, and then empties localStorage. The server has set these cookies, so they stay: the same visitor. Traits live in localStorage alone and are gone."
      : "Safari gives cookies of scripts seven days, and then empties localStorage. Nothing is left: a completely new anonymousId. Let the server set the cookies, and try again." },
  { key: "server", group: "stores", label: "Let the server set the cookies", ids: SAME, healed: true, own: true, served: "no",
    act: () => stores.setCookie("grove_server", "yes"),
    now: () => done(ids(stores.served()).length > 0, `the server has set ${ids(stores.served()).join(" and ") || "no cookie"} with this page`),
    rule: "From now on the shop’s middleware renews the ids’ cookies with each page, and the SDK leaves them as they are: no script has written them, and Safari keeps them." },
  { key: "scripts", group: "stores", label: "Let only scripts set the cookies", ids: SAME, own: true, served: "yes",
    act: () => stores.setCookie("grove_server", ""),
    rule: "The shop’s server sets no cookies of the ids any more, as most sites’ servers don’t." },
  { key: "corrupt-cookie", group: "stores", label: "Corrupt the cookie", ids: SAME, healed: true, own: true,
    act: async () => { await stores.corruptCookie(); return done(!stores.held().cookie.anonymousId, "the cookie could not be read"); },
    rule: "A cookie that can't be decoded counts as missing: localStorage heals it, and the page never notices." },
  { key: "second-cookie", group: "stores", label: "Set a second cookie", ids: SAME, healed: true, own: true, go: "/products/yuzu",
    act: () => stores.contradict("/products"),
    now: () => done(!stores.counted().includes("2 cookies"), "there is one cookie of each name"),
    rule: "A cookie of the same name on another path (here /products) is shown to the page first. It must not make the visitor somebody else: it is removed, and the next event tells so." },
  { key: "corrupt-traits", group: "stores", label: "Corrupt the traits", ids: SAME, own: true,
    act: () => { stores.corruptTraits(); return done(stores.held().traits.plan === undefined, "the traits could not be read"); },
    rule: "Traits that are no JSON break nothing: both ids stay, and events go on." },
  { key: "reset", group: "people", label: "reset()", ids: FRESH, healed: true,
    rule: "reset removes both ids from every store at once; the next visit makes a new anonymousId.",
    act: async () => {
      analytics.reset();
      return idChecks(NOBODY, {}, stores.held()).map(({ ok, text }) => ({ ok, text: `right after reset ${text}` }));
    } },
  { key: "other-user", group: "people", label: "Somebody else logs in", healed: true, go: "/account",
    rule: (before) => before.userId
      ? "Another userId takes the place of the one before. The anonymousId belonged to that person, so the newcomer gets one of their own, and none of the traits."
      : "Nobody was known here: the anonymousId stays, and from now on belongs to whoever has logged in.",
    ids: (before) => ({ anonymousId: before.userId ? "new" : "same", userId: "new" }),
    act: async () => { await fetch("/qa/other-user", { method: "POST" }); }, now: othersTraits, events: ["identify", "Signed In"] },
  { key: "device", group: "people", label: "Open as a second device", stays: true,
    rule: "Another device has its own cookies and localStorage, and so an anonymousId of its own, until both log in.",
    act: async (memory, { devices, here }) => {
      const origin = devices[here === "phone" ? "laptop" : "phone"];
      if (!origin) return [{ ok: false, text: "this host can have no second name: open the shop as localhost" }];
      window.open(`${origin}/`, "_blank", "noopener");
      const [page] = await stored(memory.seq, (event) => event.type === "page" && urlOf(event).startsWith(`${origin}/`), (found) => found.length, 20);
      if (!page) return [{ ok: false, text: `no page of ${origin} has reported: was the new tab blocked?` }];
      const other = page.anonymousId !== memory.before.anonymousId;
      return [{ ok: other, text: `stored #${page.seq} page of ${new URL(origin).hostname} as ${page.anonymousId.slice(0, 6)}, ${other ? "another" : "the same"} anonymousId` }];
    } },
  { key: "offline", own: true, group: "network", label: "Go offline", stays: true, weather: "", ids: SAME, act: cut("offline"),
    rule: "Without a network nothing is sent and nothing is lost: three calls wait in order, also over the next pages." },
  { key: "down", own: true, group: "network", label: "Fail the collector", stays: true, weather: "", ids: SAME, act: cut("down"),
    rule: "A collector that answers 503 is asked again, later and later; what has no answer waits, also over the next pages." },
  { key: "mend", own: true, group: "network", label: "Mend the network", weather: "bad", ids: SAME, act: () => stores.setCookie("grove_weather", ""),
    rule: "As soon as the network is back everything that waited is sent, once, in order, with the time of its call.",
    after: async (memory) => {
      const { run, began } = memory.cut || {};
      if (!run) return [];
      const mine = (event) => event.event === WAITED && event.properties.run === run;
      const all = await stored(memory.cut.seq, mine, (found) => found.length >= CALLS, 20);
      const order = all.map((event) => event.properties.number).join(", ");
      const late = all.every((event) => Math.abs(Date.parse(event.originalTimestamp) - began) < 10_000);
      return [
        { ok: order === "1, 2, 3", text: `stored in the order ${order || "…"}` },
        { ok: late, text: late ? `with the time of the call, ${Math.round((Date.now() - began) / 1000)} s ago` : "with another time than the call's" },
      ];
    } },
  { key: "refuse", own: true, group: "consent", label: "Drop consent", consent: "yes", ids: NOBODY, silent: true,
    rule: "A no clears cookies and localStorage of all ids; nothing more is kept or sent.",
    act: () => { analytics.consent(false); stores.setCookie("grove_consent", "no"); } },
  { key: "agree", own: true, group: "consent", label: "Give consent", consent: "no", ids: FRESH,
    rule: "After a yes a visit begins as any other: nothing is known from before the no.",
    act: () => stores.setCookie("grove_consent", "") },
  { key: "mistakes", own: true, group: "shop", label: "Make mistakes", mistakes: "no", ids: SAME, act: () => stores.setCookie("grove_mistakes", "yes"),
    rule: "From now on the shop does what many sites do: its sign-up page makes the calls and redirects at once, a logout is not followed by reset, and the email address is the userId. Shop with three people, and look at Health in the console." },
  { key: "well", own: true, group: "shop", label: "Make no mistakes", mistakes: "yes", ids: SAME, act: () => stores.setCookie("grove_mistakes", ""),
    rule: "The shop follows the specification again. What was stored before stays as it was." },
];

export const grouped = Object.entries(groups).map(([key, label]) => [label, ACTIONS.filter(({ group }) => group === key)]);

export const idsOf = (action, before) => (typeof action.ids === "function" ? action.ids(before) : action.ids || {});
export const ruleOf = (action, before) => (typeof action.rule === "function" ? action.rule(before) : action.rule);

/* Does it, and returns what the next page needs to judge it. */
export async function perform(action, about) {
  const memory = { key: action.key, before: stores.held(), seq: await newest(), go: action.go || "" };
  memory.checks = (await action.act(memory, about)) || [];
  return memory;
}

/* What is so after the action, as [{ok, text}]: real stores, and really stored events. */
export async function judge(action, memory) {
  const checks = [...(memory.checks || [])];
  const now = await until(async () => {
    const seen = await stores.look();
    // After a login the page's own calls change who this is: the verdict waits for them.
    return idsOf(action, memory.before).userId !== "new" || seen.userId !== memory.before.userId ? seen : null;
  }, 5) || (await stores.look());
  checks.push(...idChecks(idsOf(action, memory.before), memory.before, now));
  if (action.healed) checks.push(healedCheck(now));
  if (action.now) checks.push(...action.now(memory, now));
  if (action.silent) checks.push(...(await silence(memory)));
  else if (!action.stays) checks.push(...(await pageStored(action, memory, now)));
  if (action.after) checks.push(...(await action.after(memory)));
  return { ok: agrees(checks), checks };
}

async function pageStored(action, memory, now) {
  const names = action.events || ["page"];
  const name = names[names.length - 1];
  const here = (event) => eventName(event) === name && urlOf(event) === now.url;
  const [event] = await stored(memory.seq, here, (found) => found.length, 12);
  if (!event) return [{ ok: false, text: `no ${name} of this page was stored` }];
  const same = event.anonymousId === now.anonymousId && event.userId === now.userId;
  return [{ ok: same, text: `stored #${event.seq} ${name} ${same ? "with these very ids" : "with other ids"}` }];
}

async function silence(memory) {
  const context = await analytics.track("Never Sent");
  await pause(800);
  const mine = (event) => event.anonymousId === memory.before.anonymousId || event.event === "Never Sent";
  const came = await stored(memory.seq, mine, () => true);
  return [
    { ok: Boolean(context && context.cancelled), text: context && context.cancelled ? "a call is refused" : "a call went through" },
    { ok: came.length === 0, text: came.length ? `${came.length} events were stored all the same` : "nothing was stored since" },
  ];
}
