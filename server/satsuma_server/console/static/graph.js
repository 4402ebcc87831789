// The identity graph, drawn: texts come as data and only ever reach the canvas.
(() => {
  "use strict";
  const place = document.getElementById("graph");
  if (!place || !window.cytoscape) return;
  const brush = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true });

  function rgb(colour) {
    brush.clearRect(0, 0, 1, 1);
    brush.fillStyle = colour;
    brush.fillRect(0, 0, 1, 1);
    const [red, green, blue] = brush.getImageData(0, 0, 1, 1).data;
    return `rgb(${red},${green},${blue})`;
  }

  function probe(className, property) {
    const element = document.createElement("span");
    element.className = className;
    place.append(element);
    const value = getComputedStyle(element)[property];
    element.remove();
    return rgb(value);
  }

  function style() {
    const named = (name) => rgb(getComputedStyle(place).getPropertyValue(name).trim());
    const ink = named("--ink"), soft = named("--soft"), accent = named("--accent"), bad = named("--bad"), panel = named("--panel");
    const text = { "font-size": 11, "font-family": getComputedStyle(document.body).fontFamily.replaceAll('"', ""), "min-zoomed-font-size": 6 };
    return [
      { selector: "node", style: { ...text, label: "data(label)", color: ink, "text-valign": "bottom", "text-margin-y": 5, width: 24, height: 24, "background-color": (node) => probe(`hue-${node.data("hue")} tone`, "color"), "border-width": 3, "border-color": panel } },
      { selector: "node.user", style: { width: 36, height: 36, shape: "round-hexagon", "font-weight": "bold" } },
      { selector: "node.apart", style: { opacity: 0.55 } },
      { selector: "edge", style: { ...text, "font-size": 9, label: "data(label)", color: soft, width: 2, "line-color": soft, "curve-style": "bezier", "text-rotation": "autorotate", "text-background-color": panel, "text-background-opacity": 1, "text-background-padding": 2 } },
      { selector: "edge.merged, edge.added", style: { "line-color": accent, width: 3 } },
      { selector: "edge.refused", style: { "line-color": bad, "line-style": "dashed", color: bad } },
      { selector: "edge.undone", style: { "line-style": "dotted" } },
      { selector: "edge.chosen", style: { width: 6 } },
    ];
  }

  const graph = cytoscape({
    container: place,
    elements: JSON.parse(place.dataset.graph),
    style: style(),
    layout: { name: "preset", padding: 30 },
    maxZoom: 1.4,
    minZoom: 0.2,
    // The wheel belongs to the page; two fingers still zoom.
    userZoomingEnabled: matchMedia("(pointer: coarse)").matches,
    boxSelectionEnabled: false,
  });
  graph.fit(undefined, 30);

  function choose(id) {
    graph.edges().removeClass("chosen");
    graph.getElementById(id).addClass("chosen");
    for (const other of document.querySelectorAll(".link[data-chosen]")) delete other.dataset.chosen;
    const entry = document.getElementById(id);
    if (entry) entry.dataset.chosen = "";
    return entry;
  }

  graph.on("tap", "edge", (event) => choose(event.target.id())?.scrollIntoView({ block: "nearest" }));
  for (const entry of document.querySelectorAll("[data-link]")) entry.addEventListener("pointerenter", () => choose(entry.dataset.link));
  for (const entry of document.querySelectorAll("[data-link]")) entry.addEventListener("focusin", () => choose(entry.dataset.link));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => graph.style(style()));
  place.dataset.drawn = "";
})();
