/* Shows who answers to which name on this page. */
import { make, pause, show } from "./dom.js";

const NAMES = ["analytics", "grove", "orchard"];

function owner(one) {
  if (one instanceof Element) return "an element";
  if (one.heard) return "another library";
  return one.initialized ? "Satsuma" : "Satsuma, which is starting";
}

for (;;) {
  const lines = NAMES.filter((name) => window[name]).map((name) => `${name}: ${owner(window[name])}`);
  const { heard } = window.analytics || {};
  if (heard) lines.push(`The other library heard: ${heard.join(", ") || "nothing yet"}`);
  show(document.getElementById("names"), lines, () => lines.map((textContent) => make("li", { textContent })));
  await pause(100);
}
