/* What the collector has stored, as the shop's server hands it on. */
import { pause } from "./dom.js";

export const SHOP_DOWN = "The shop can't be reached.";

async function ask(query) {
  try {
    const answer = await fetch(`/qa/events?${query}`);
    const { events = [], error = "" } = await answer.json();
    return { events, error };
  } catch {
    return { events: [], error: SHOP_DOWN };
  }
}

/* The number of the newest event. */
export async function newest() {
  const { events } = await ask("last=1");
  return events.length ? events[0].seq : 0;
}

export class Feed {
  constructor(after = 0) {
    this.after = after;
    this.error = "";
  }
  /* From some events before the newest on. */
  static async last(count) {
    return new Feed(Math.max(0, (await newest()) - count));
  }
  async read() {
    const { events, error } = await ask(`after=${this.after}`);
    this.error = error;
    for (const event of events) this.after = Math.max(this.after, event.seq);
    return events;
  }
}

/* Stored events after a number, as soon as they are enough; what there is when the time is up. */
export async function stored(after, choose, enough, seconds = 8) {
  const limit = Date.now() + seconds * 1000;
  for (;;) {
    const { events } = await ask(`after=${after}`);
    const chosen = events.filter(choose);
    if (enough(chosen) || Date.now() > limit) return chosen;
    await pause(120);
  }
}

export const eventName = (event) => (event.type === "track" ? String(event.event) : event.type === "screen" ? `screen ${event.name || ""}`.trim() : String(event.type));

export function told(event) {
  if (event.type === "identify") return event.userId || "traits only";
  if (event.type === "alias") return `${event.previousId} is ${event.userId}`;
  return event.event || event.name || (event.properties && event.properties.title) || "";
}

export const urlOf = (event) => (event.context && event.context.page && event.context.page.url) || "";
