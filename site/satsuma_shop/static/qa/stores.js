/* What this page's cookies and localStorage hold, read without asking the SDK (which would heal them), and broken. */
import { until } from "./dom.js";

const DAY = 86400;
const YEAR = 365 * DAY;
const OURS = /^ajs_/;

export const decode = (text) => { try { return decodeURIComponent(text); } catch { return text; } };

function pairs() {
  return document.cookie.split("; ").filter(Boolean).map((pair) => {
    const at = pair.indexOf("=");
    return [pair.slice(0, at), pair.slice(at + 1)];
  });
}

function parsed(key) {
  const text = localStorage.getItem(key);
  try { return JSON.parse(text); } catch { return text; }
}

/* A cookie that can't be decoded counts as absent, as it does for the SDK. */
function readable(text) {
  try { return decodeURIComponent(text); } catch { return null; }
}

export function held() {
  const found = Object.fromEntries(pairs().map(([name, text]) => [name, readable(text)]));
  const cookie = { anonymousId: found.ajs_anonymous_id || null, userId: found.ajs_user_id || null };
  const storage = { anonymousId: parsed("ajs_anonymous_id") || null, userId: parsed("ajs_user_id") || null };
  const traits = parsed("ajs_user_traits");
  return {
    cookie, storage,
    anonymousId: storage.anonymousId || cookie.anonymousId,
    userId: storage.userId || cookie.userId,
    traits: traits && typeof traits === "object" ? traits : {},
  };
}

/* Each cookie that scripts can see: name, value, and the moment of its end (milliseconds), null for the session's. */
export async function cookies() {
  if (!window.cookieStore) return pairs().map(([name, text]) => ({ name, value: decode(text), expires: undefined }));
  const all = await cookieStore.getAll();
  return all.map(({ name, value, expires, domain }) => ({ name, value: decode(value), expires, domain }))
    .sort((one, other) => one.name.localeCompare(other.name));
}

export function items() {
  return Object.keys(localStorage).sort().map((key) => [key, localStorage.getItem(key)]);
}

async function write(name, text, seconds) {
  const same = window.cookieStore ? (await cookieStore.getAll(name)).map((cookie) => cookie.domain) : [null, location.hostname];
  for (const domain of same.length ? same : [null])
    document.cookie = `${name}=${text}; path=/; samesite=lax; max-age=${Math.round(seconds)}${domain ? `; domain=${domain}` : ""}`;
}

/* As a server does that names no domain: the same cookies once more, for this host alone. */
export function double() {
  for (const [name, text] of pairs()) if (OURS.test(name)) document.cookie = `${name}=${text}; path=/; samesite=lax; max-age=${YEAR}`;
}

/* Cookies of the same names on a path, which say something else; there the browser shows them before the right ones. */
export function contradict(path) {
  for (const [name] of pairs()) if (OURS.test(name)) document.cookie = `${name}=somebody-else; path=${path}; samesite=lax; max-age=${YEAR}`;
}

/* How many cookies there are of each id, in words. */
export function counted() {
  const count = (wanted) => pairs().filter(([name]) => name === wanted).length;
  return ["ajs_anonymous_id", "ajs_user_id"].map((name) => `\n${count(name)} cookie${count(name) === 1 ? "" : "s"} ${name}`).join("");
}

/* The cookies get one second to live, and that second is waited for. */
export async function expire() {
  for (const [name, text] of pairs()) if (OURS.test(name)) await write(name, text, 1);
  await until(() => !pairs().some(([name]) => OURS.test(name)), 8);
}

/* The cookies get older: what is left of their year is as much shorter. */
export async function age(days) {
  const known = Object.fromEntries((await cookies()).map(({ name, expires }) => [name, expires]));
  for (const [name, text] of pairs()) {
    if (!OURS.test(name)) continue;
    const left = known[name] ? (known[name] - Date.now()) / 1000 : YEAR;
    await write(name, text, left - days * DAY);
  }
}

/* The cookies that the server has set with this page, and that no script has changed since. */
export function served() {
  const [page] = performance.getEntriesByType("navigation");
  const set = (page?.serverTiming || []).filter(({ name }) => name === "cookie").map(({ description }) => description);
  return pairs().filter(([name, text]) => set.includes(`${name}=${text}`)).map(([name]) => name);
}

/* What Safari leaves after days without a visit: of cookies that scripts have written, and of localStorage, nothing. */
export async function safari(days) {
  const kept = served();
  const known = Object.fromEntries((await cookies()).map(({ name, expires }) => [name, expires]));
  for (const [name, text] of pairs()) {
    if (!/^(ajs|satsuma)_/.test(name)) continue;
    const left = known[name] ? (known[name] - Date.now()) / 1000 : YEAR;
    await write(name, kept.includes(name) ? text : "", kept.includes(name) ? Math.max(0, left - days * DAY) : 0);
  }
  clearStorage();
}

/* As a visitor does who clears all cookies: the shop's own, which no script can see, are removed by the shop. */
export async function clearCookies() {
  await fetch("/qa/forget", { method: "POST" });
  for (const [name] of pairs()) await write(name, "", 0);
}

export function clearStorage() {
  localStorage.clear();
  sessionStorage.removeItem("calls");
}

export const corruptCookie = () => write("ajs_anonymous_id", "%E0%A4%A", YEAR);
export const corruptTraits = () => localStorage.setItem("ajs_user_traits", '{"plan": "grove", "na');

export function setCookie(name, value) {
  document.cookie = `${name}=${value}; path=/; samesite=lax${value ? "" : "; max-age=0"}`;
}

/* All that can be told of this page at this moment. */
export async function look() {
  const analytics = window.analytics || {};
  const booted = Boolean(analytics.initialized && typeof analytics.delivery === "function");
  return {
    url: location.href, title: document.title, booted,
    boot: booted ? analytics.bootMilliseconds : null,
    delivery: booted ? analytics.delivery() : null,
    ...held(), cookies: await cookies(), items: items(),
  };
}

/* Where another library has the name, our source is called grove. */
export const bootedPage = () => until(() => [window.grove, window.analytics].some((one) => one && one.initialized && typeof one.user === "function"), 40);
