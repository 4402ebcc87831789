/* Python can end in a page that goes on: where its module's second part can't be had at the very call that needs it (start.js).
   Then the calls that it has written nowhere go to the collector as they are, and so do all that follow. */
function makeGuard(takeUp, options, goOn) {
  const HOLDING = ["register", "addSourceMiddleware", "addDestinationMiddleware"];
  const open = new Set(); // Events' calls that Python has not answered yet.
  let ended = false;
  let holds = false;
  let consent;

  const instead = {
    event(name, args, note, resolve) {
      takeUp([name, ...args, note]);
      resolve();
    },
    later: (name, args, resolve) => resolve(),
    now: (name, args) => void (WHO.includes(name) && takeUp([name, ...args])),
  };

  /* An event that Python has in localStorage already is the next page's, with the visitor as it was at the call. */
  function end(error) {
    if (ended) return;
    ended = true;
    let kept = "";
    try {
      kept = storedNames(/^satsuma_queue:/).map((name) => localStorage.getItem(name)).join();
    } catch (error) { /* Then nothing is kept. */ }
    // What plugins of the page have to see goes when they can see it: from the next page.
    options.holdsBack ||= holds;
    if (consent) instead.now("consent", consent);
    for (const call of open) kept.includes(call[2].id) ? call[3]() : instead.event(...call);
    goOn(error);
  }

  function noted(way, call) {
    const [name, args, note, resolve, reject] = call;
    if (HOLDING.includes(name)) holds = true;
    if (name === "consent") consent = args;
    if (way !== "event") return call;
    const answered = (answer) => (value) => open.delete(call) && answer(value);
    open.add(call);
    return [name, args, note, answered(resolve), answered(reject)];
  }

  /* Python's ways in, as long as it lives. Of a visitor's answer it is told even then: it may still be sending. */
  function around(ask) {
    const guarded = {};
    for (const way of ["event", "later", "now", "user", "group", "storage", "queue"])
      guarded[way] = (...call) => {
        const before = ended;
        try {
          if (!ended) return ask[way](...noted(way, call));
          if (call[0] === "consent") ask[way](...call);
        } catch (error) {
          if (!ended) throw error;
        }
        // The event's call in which it ended was among the open ones.
        if (before || way !== "event") return instead[way]?.(...call);
      };
    return guarded;
  }

  return { around, end };
}
