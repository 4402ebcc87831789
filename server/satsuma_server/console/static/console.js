// What every screen has: keys, copying, the chosen event beside the list.
(() => {
  "use strict";
  const base = document.body.dataset.base;
  const wide = matchMedia("(min-width: 1180px)");

  // On a phone the screens lie in one line that is wider than it.
  document.querySelector("nav [aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });

  function say(text) {
    document.getElementById("said").textContent = text;
  }

  function open(link) {
    const pane = document.getElementById("detail");
    if (!pane || !wide.matches || !window.htmx) return false;
    mark(link);
    htmx.ajax("GET", link.href, { target: pane, select: "#event", swap: "innerHTML" }).then(() => pane.scrollTo(0, 0));
    return true;
  }

  function mark(link) {
    for (const other of document.querySelectorAll("[data-feed] a[aria-current]")) other.removeAttribute("aria-current");
    link.setAttribute("aria-current", "true");
  }

  function links() {
    return [...document.querySelectorAll("[data-feed] a, [data-list] a[data-item]")];
  }

  function step(by) {
    const all = links();
    if (!all.length) return;
    const at = all.indexOf(document.activeElement);
    const next = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + by))];
    next.focus();
    next.scrollIntoView({ block: "nearest" });
  }

  async function copy(button) {
    const text = document.getElementById(button.dataset.copy).textContent;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Clipboards need https or this machine; a selection works everywhere.
      const area = document.createElement("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    const before = button.textContent;
    button.textContent = "Copied";
    say("Copied");
    setTimeout(() => (button.textContent = before), 1500);
  }

  const keys = {
    j: () => step(1),
    k: () => step(-1),
    "/": () => document.querySelector("[data-search]")?.focus(),
    "?": () => document.getElementById("keys").showModal(),
    p: () => document.querySelector("[data-pause]:not([hidden])")?.click(),
  };

  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, textarea, select, [contenteditable]");
    if (typing) {
      if (event.key === "Escape") event.target.blur();
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) event.target.form?.requestSubmit();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const screens = document.querySelectorAll(".side nav a");
    const act = keys[event.key] || (/^[1-9]$/.test(event.key) && screens[event.key - 1] && (() => screens[event.key - 1].click()));
    if (act) {
      event.preventDefault();
      act();
    }
  });

  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-feed] a");
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0 && open(link)) event.preventDefault();
    const button = event.target.closest("[data-copy]");
    if (button) copy(button);
    if (event.target.closest("[data-help]")) document.getElementById("keys").showModal();
  });

  // A login that has ended answers so, and names the page to go to.
  document.addEventListener("htmx:sendError", () => say("The collector can't be reached"));
  window.satsuma = { base, say };
})();
