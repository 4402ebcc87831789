/* Elements. Whatever is shown is set as text, never as HTML: cookies and events are whatever somebody wrote into them. */

export function make(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

export function draw(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/* Sets children only when what they show has changed, so that nothing flickers and a selection stays. */
export function show(target, state, render) {
  const key = JSON.stringify(state);
  if (target.shown === key) return;
  target.shown = key;
  target.replaceChildren(...[render(state)].flat().filter(Boolean));
}

export const short = (id) => (id ? String(id).slice(0, 6) : "none");

/* One colour for one id, everywhere. */
export function hue(id) {
  let sum = 0x811c9dc5;
  for (const character of String(id)) sum = Math.imul(sum ^ character.codePointAt(0), 0x01000193) >>> 0;
  return sum % 360;
}

/* `kind` is userId, which is drawn round and full, or anonymousId. */
export function chip(id, kind) {
  const element = make("span", { className: id ? `chip ${kind}` : "chip none", title: `${kind} ${id || "none"}`, textContent: short(id) });
  if (id) element.style.setProperty("--hue", hue(id));
  return element;
}

export const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

/* Waits until something is there and returns it; null once the time is up. */
export async function until(find, seconds = 10, every = 50) {
  const limit = Date.now() + seconds * 1000;
  for (;;) {
    const found = await find();
    if (found) return found;
    if (Date.now() > limit) return null;
    await pause(every);
  }
}
