/* What a step of a flow should have done, held against what the browser holds and what the collector stored. */
import { until } from "../qa/dom.js";
import { stored, urlOf } from "../qa/events.js";
import { agrees, healedCheck, idChecks, storedChecks } from "../qa/facts.js";
import { people } from "../qa/people.js";

/* `flow` has the devices by name, the last look at each, and the number of the event before the first step. */
export async function check(step, flow, before, since) {
  const device = flow.devices[step.device];
  const there = flow.seen.laptop;
  // What another page knows already need not change here.
  const wanted = (expected, name) => (expected !== "laptop" ? expected : there[name] === before[name] ? "same" : "new");
  const expected = { anonymousId: wanted(step.anonymous_id, "anonymousId"), userId: wanted(step.user_id, "userId") };
  const now = await until(async () => {
    const seen = await device.look();
    return idChecks(expected, before, seen).every(({ ok }) => ok) ? seen : null;
  }, 5, 120) || (await device.look());
  flow.seen[step.device] = now;
  const checks = idChecks(expected, before, now);
  for (const [name, where] of [["anonymousId", step.anonymous_id], ["userId", step.user_id]]) {
    if (where !== "laptop") continue;
    const same = now[name] === there[name];
    checks.push({ ok: same, text: same ? `it is the very ${name} of the laptop` : `it is another ${name} than the laptop's` });
  }
  if (step.shown) {
    const shown = await until(async () => (await device.ask("shows")).includes(step.shown), 5, 120);
    checks.push({ ok: Boolean(shown), text: `${shown ? "there is" : "there is not"}: ${step.shown}` });
  }
  if (step.healed) checks.push(healedCheck(now));
  const here = (event) => urlOf(event).startsWith(`${device.origin}/`);
  if (step.stored.length) {
    const who = now.anonymousId || before.anonymousId;
    const matches = (events) => storedChecks(step.stored, [...events], who).every(({ ok }) => ok);
    // What is wrong already need not be waited for.
    const events = await stored(since, here, matches, agrees(checks) ? 12 : 1);
    checks.push(...storedChecks(step.stored, [...events], who));
    const twice = events.length !== new Set(events.map((event) => event.messageId)).size;
    if (twice) checks.push({ ok: false, text: "an event was stored twice" });
  }
  if (step.people) {
    const count = people(await flow.events()).length;
    checks.push({ ok: count === step.people, text: `all events so far are those of ${count === 1 ? "one person" : `${count} people`}` });
  }
  return checks;
}

