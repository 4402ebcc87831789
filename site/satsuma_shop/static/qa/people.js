/* Who belongs together: ids that met in one event are one person's. A person is drawn as a satsuma, each anonymousId a
   segment of it; a visitor whom nobody knows is a segment that lies alone. */
import { draw, hue, short } from "./dom.js";

/* Each person has its users, its devices (anonymousIds), its count of events, and those events that made ids meet. */
export function people(events) {
  const above = new Map();
  const joins = [];
  const top = (id) => { while (above.get(id) !== id) id = above.get(id); return id; };
  const join = (ids) => {
    for (const id of ids) if (!above.has(id)) above.set(id, id);
    for (const id of ids) above.set(top(id), top(ids[0]));
  };
  for (const event of events) {
    const ids = [];
    if (event.anonymousId) ids.push(`anonymous:${event.anonymousId}`);
    if (event.userId) ids.push(`user:${event.userId}`);
    // An alias says that what was known by the one id is known by the other from now on.
    if (event.type === "alias" && event.previousId) {
      const anonymous = `anonymous:${event.previousId}`;
      ids.push(above.has(anonymous) || event.previousId === event.anonymousId ? anonymous : `user:${event.previousId}`);
    }
    if (!ids.length) continue;
    const apart = new Set(ids.map((id) => (above.has(id) ? top(id) : id))).size > 1;
    join(ids);
    if (apart) joins.push([ids[0], event]);
  }
  const found = new Map();
  for (const id of above.keys()) {
    const person = found.get(top(id)) || { users: [], devices: [], events: 0, joins: [] };
    const [kind, name] = [id.slice(0, id.indexOf(":")), id.slice(id.indexOf(":") + 1)];
    (kind === "user" ? person.users : person.devices).push(name);
    found.set(top(id), person);
  }
  for (const { userId, anonymousId } of events) {
    const id = anonymousId ? `anonymous:${anonymousId}` : `user:${userId}`;
    if (above.has(id)) found.get(top(id)).events += 1;
  }
  for (const [id, event] of joins) found.get(top(id)).joins.push(event);
  return [...found.values()];
}

/* The nearest to a name that a person has. */
export const nameOf = (person) => (person.users.length ? person.users.map(short).join(" = ") : "anonymous");

function segment(id, at, of) {
  const wide = Math.min(70, 320 / of);
  const [left, right] = [-wide / 2, wide / 2].map((turn) => (turn * Math.PI) / 180);
  const [x, y] = [Math.sin(right) * 38, -Math.cos(right) * 38];
  const path = draw("path", { class: "segment", d: `M0 -7 L${-x} ${y} A38 38 0 0 1 ${x} ${y} Z`, transform: `translate(50 50) rotate(${(at * 360) / of})` });
  path.style.setProperty("--hue", hue(id));
  return path;
}

export function fruit(person, label = "") {
  const known = person.users.length > 0;
  const devices = person.devices.length ? person.devices : person.users;
  const places = known ? Math.max(devices.length, 5) : devices.length;
  const shape = draw("svg", { class: known ? "person known" : "person", viewBox: known ? "0 0 100 100" : "20 2 60 60", role: "img", "aria-label": label || nameOf(person) });
  if (known) shape.append(draw("circle", { class: "peel", cx: 50, cy: 50, r: 46 }), draw("circle", { class: "pith", cx: 50, cy: 50, r: 41 }));
  for (let at = devices.length; known && at < places; at += 1) {
    const empty = segment("", at, places);
    empty.setAttribute("class", "segment empty");
    shape.append(empty);
  }
  devices.forEach((id, at) => shape.append(segment(id, at, places)));
  return shape;
}
