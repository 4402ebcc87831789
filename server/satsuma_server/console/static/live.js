// The feed: rows come by server-sent events, and the list never holds more than MOST.
(() => {
  "use strict";
  const MOST = 200;
  let source = null;
  let paused = false;
  let waiting = 0;

  const feed = () => document.getElementById("feed");
  const part = (name) => feed().querySelector(`[data-${name}]`);
  const list = () => part("feed");

  function state(name, text) {
    const shown = document.querySelector("[data-state]");
    shown.dataset.state = name;
    shown.querySelector("[data-state-text]").textContent = text;
  }

  function add(html) {
    const before = list().firstElementChild;
    // Made by the collector's own templates, with everything of an event escaped.
    list().insertAdjacentHTML("afterbegin", html);
    let fresh = 0;
    for (let row = list().firstElementChild; row && row !== before; row = row.nextElementSibling) {
      row.classList.add("new");
      fresh += 1;
    }
    const whole = list().childElementCount <= MOST && part("skipped").hidden;
    while (list().childElementCount > MOST) list().lastElementChild.remove();
    if (!whole) older();
    part("empty").hidden = true;
    return fresh;
  }

  // What was let go of here, or never shown, is found before the last row that is left.
  function older() {
    const rows = list().querySelectorAll('a[href*="/events/"]');
    if (!rows.length) return;
    const link = part("older");
    link.href = link.href.replace(/before=\d+/, `before=${rows[rows.length - 1].href.split("/").pop()}`);
    link.hidden = false;
  }

  function skipped(count) {
    const notice = part("skipped");
    notice.textContent = `${Number(count).toLocaleString("en")} events came too fast to be shown here. They are stored: `;
    const link = document.createElement("a");
    link.href = location.href;
    link.textContent = "reload";
    notice.append(link, " or filter.");
    notice.hidden = false;
    // What follows stands after a gap: with what came before it, nobody would see that something is missing.
    list().replaceChildren();
  }

  function close() {
    source?.close();
    source = null;
  }

  function connect() {
    close();
    const place = feed()?.dataset.stream;
    const pause = document.querySelector("[data-pause]");
    pause.hidden = !place;
    if (!place) return state("past", "older events");
    if (paused) return state("paused", "paused");
    state("connecting", "connecting");
    source = new EventSource(`${place}&after=${feed().dataset.after}`);
    source.addEventListener("hello", () => state("live", "live"));
    source.addEventListener("rows", (event) => {
      feed().dataset.after = event.lastEventId;
      const fresh = add(event.data);
      // Who reads further down is not pushed about: the browser keeps the place, and this says what came.
      if (scrollY > 200) more(waiting + fresh);
    });
    source.addEventListener("skipped", (event) => skipped(event.data));
    source.onerror = () => {
      // Refused for good, as when the login has ended or too many feeds are open; otherwise the browser comes back.
      if (source && source.readyState === EventSource.CLOSED) {
        state("broken", "not connected");
        setTimeout(check, 2000);
      } else state("connecting", "connecting again");
    };
  }

  async function check() {
    const answer = await fetch(location.href, { headers: { "HX-Request": "true" } }).catch(() => null);
    if (answer?.status === 401) location.reload();
    else connect();
  }

  function more(count) {
    waiting = count;
    const pill = part("more");
    pill.hidden = !count;
    pill.textContent = `↑ ${count} new event${count === 1 ? "" : "s"}`;
  }

  document.addEventListener("click", (event) => {
    const pause = event.target.closest("[data-pause]");
    if (pause) {
      paused = !paused;
      pause.textContent = paused ? "Go on" : "Pause";
      pause.setAttribute("aria-pressed", String(paused));
      if (paused) close(), state("paused", "paused");
      else connect();
    }
    if (event.target.closest("[data-more]")) {
      more(0);
      scrollTo({ top: 0 });
    }
  });
  addEventListener("scroll", () => waiting && scrollY < 50 && more(0), { passive: true });
  // A filter has put another feed in place of this one.
  document.addEventListener("htmx:afterSettle", (event) => event.target.id === "feed" && connect());
  document.addEventListener("visibilitychange", () => {
    // A tab that nobody looks at costs the collector nothing; it goes on where it stopped.
    if (document.hidden) close();
    else connect();
  });
  connect();
})();
