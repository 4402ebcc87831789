/* Links and forms that track themselves, where Python runs in a worker: a click or a submit is held up in the page itself,
   since nobody elsewhere could do it in time. The visitor goes on once the event is on its way, or after `timeout()`. */
function makeTrackers(face, timeout) {
  function track(element, event, properties, options = {}) {
    const name = typeof event === "function" ? event(element) : event;
    const given = typeof properties === "function" ? properties(element) : properties;
    return Promise.race([face().track(name, given, options), new Promise((go) => setTimeout(go, timeout()))]);
  }

  function elements(given) {
    if (!given) return [];
    if (given.nodeType) return [given];
    return given.toArray ? given.toArray() : Array.from(given);
  }

  function hrefOf(element) {
    const inner = element.getElementsByTagName("a")[0];
    return element.getAttribute("href") || element.getAttribute("xlink:href") || (inner && inner.getAttribute("href"));
  }

  function opensElsewhere(element, click) {
    return element.target === "_blank" || click.ctrlKey || click.shiftKey || click.metaKey || click.button === 1;
  }

  function trackLink(links, ...about) {
    for (const element of elements(links))
      element.addEventListener("click", (click) => {
        const tracked = track(element, ...about);
        const href = hrefOf(element);
        if (!href || opensElsewhere(element, click)) return;
        click.preventDefault();
        tracked.then(() => (location.href = href));
      });
  }

  function trackForm(forms, ...about) {
    const jquery = window.jQuery || window.Zepto;
    for (const element of elements(forms)) {
      const handle = (submit) => {
        submit.preventDefault();
        // A field called "submit" hides the form's own method.
        track(element, ...about).then(() => HTMLFormElement.prototype.submit.call(element));
      };
      // What is sent through jQuery is not seen by the page's own events.
      if (jquery) jquery(element).submit(handle);
      else element.addEventListener("submit", handle);
    }
  }

  return { trackLink, trackClick: trackLink, trackForm, trackSubmit: trackForm };
}
