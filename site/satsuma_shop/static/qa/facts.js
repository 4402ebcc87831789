/* What should be and what is: the same words for the drawer and the lab. A check is {ok, text}. */
import { short } from "./dom.js";
import { eventName } from "./events.js";

export const change = (before, now) => (!now ? "none" : now === before ? "same" : "new");

const WORDS = { same: "is the same", new: "is new", none: "is none" };

function idCheck(name, expected, before, now) {
  const is = change(before, now);
  const value = now ? ` ${short(now)}` : "";
  return { ok: is === expected, text: `${name}${value} ${WORDS[is]}` };
}

/* `expected` has anonymousId and userId: same, new or none. What was none and is to be the same is none. */
export function idChecks(expected, before, now) {
  const checks = [];
  for (const name of ["anonymousId", "userId"]) {
    if (!expected[name]) continue;
    const wanted = expected[name] === "same" && !before[name] ? "none" : expected[name];
    checks.push(idCheck(name, wanted, before[name], now[name]));
  }
  return checks;
}

/* Both stores are to tell the same, and the cookie to have its year again. */
export function healedCheck(now) {
  const agree = now.cookie.anonymousId === now.storage.anonymousId && (now.cookie.userId || null) === (now.storage.userId || null);
  const cookie = now.cookies.find(({ name }) => name === "ajs_anonymous_id");
  const days = cookie && cookie.expires ? Math.round((cookie.expires - Date.now()) / 864e5) : null;
  const year = days === null ? "" : `, the cookie lives ${days} days`;
  return { ok: agree && Boolean(cookie) && (days === null || days >= 364), text: agree ? `cookie and localStorage agree${year}` : "cookie and localStorage differ" };
}

/* Stored events, in order, each as [name, anonymous | known | any]; all with the ids of `who`. */
export function storedChecks(expected, events, who) {
  return expected.map(([name, known]) => {
    const at = events.findIndex((event) => eventName(event) === name);
    if (at < 0) return { ok: false, text: `${name} was not stored` };
    const [event] = events.splice(0, at + 1).slice(-1);
    const as = event.userId ? `as ${short(event.userId)}` : "with no userId";
    const right = known === "any" || (known === "known" ? Boolean(event.userId) : event.userId === null);
    const same = !who || event.anonymousId === who;
    return { ok: right && same, text: `stored #${event.seq} ${name} ${as}${same ? "" : `, but anonymousId ${short(event.anonymousId)}`}` };
  });
}

export const agrees = (checks) => checks.every(({ ok }) => ok);
