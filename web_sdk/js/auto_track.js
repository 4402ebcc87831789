/* Links and forms that track themselves: trackLink, trackForm and their older names. Where the page stays, the browser does
   at once what a click or a submit asks for. Where the page would be left, that waits until the event is on its way, or for
   the timeout, and then happens once; what a handler of the page has refused, before ours or after, never does. */
function makeAutoTrack(face) {
  const HELD = Symbol.for("satsuma held"); // Another source's code, too, finds what waits for an event of the page.
  const ACTIVE = /^(a|area|button|input|label|select|summary|textarea)$/i;
  const newest = new WeakMap(); // Which submit of a form is its last one: no form is sent twice for two presses.

  /* A field may be called as a method of the form that it is in. */
  function get(element, name) {
    return Element.prototype.getAttribute.call(element, name);
  }

  function elements(given) {
    if (!given) return [];
    if (given.nodeType) return [given];
    return given.toArray ? given.toArray() : [].slice.call(given);
  }

  function follow(kind, given, name, properties, options = {}) {
    const all = elements(given);
    for (const element of all) {
      if (!element.nodeType) continue;
      const handle = async (event) => {
        try {
          const tracked = face.track(...[name, properties].map((one) => (typeof one === "function" ? one(element) : one)), options);
          if (event.composedPath) hold(event, tracked);
          await tracked; // A page may have put a method of its own in the place of ours.
        } catch (error) {
          console.warn("[satsuma] A link or form was not tracked:", error);
        }
      };
      element.addEventListener(kind, handle);
      // The browser's own handlers never hear of what is sent through jQuery, which sends it itself.
      const jquery = kind === "submit" && window.jQuery;
      if (jquery) jquery(element).on(kind, (event) => event.originalEvent || handle(event));
    }
    if (!all.every((element) => element.nodeType)) throw new TypeError("Must pass HTMLElement to trackForm/trackSubmit.");
  }

  /* Has `tracked` waited for before what the browser would do after all handlers of an event. They have run at the end of
     its path, or, where a handler stops it, there. */
  function hold(event, tracked) {
    if (event[HELD]) return void event[HELD].push(tracked);
    const waits = (event[HELD] = [tracked]);
    const path = event.composedPath();
    const end = path[path.length - 1];
    let decided = false;
    function decide() {
      if (decided) return;
      decided = true;
      end.removeEventListener(event.type, decide);
      if (event.defaultPrevented || !event.cancelable) return;
      try {
        const go = event.type === "submit" ? sending(event) : leaving(event, path);
        if (go) putOff(event, waits, go);
      } catch (error) {
        // What can't be told beforehand (an address that is none), the browser does at once.
      }
    }
    if (event.cancelBubble || end === event.currentTarget) return decide();
    end.addEventListener(event.type, decide);
    for (const name of ["stopPropagation", "stopImmediatePropagation"])
      event[name] = () => {
        Event.prototype[name].call(event);
        decide();
      };
  }

  async function putOff(event, waits, go) {
    let refused = false;
    event.preventDefault();
    // Who stopped the event, or comes after on the same element, may refuse it still, and doesn't see what was done here.
    event.preventDefault = () => {
      if (event.eventPhase) refused = true;
    };
    Object.defineProperty(event, "defaultPrevented", { get: () => refused });
    const all = async () => {
      for (const tracked of waits) await tracked;
    };
    // An event that could not be made keeps nobody back.
    await Promise.race([all(), new Promise((late) => setTimeout(late, face.settings.timeout))]).catch(() => {});
    if (!refused) go();
  }

  function urlOf(element, text) {
    return new URL(text, Reflect.get(Node.prototype, "baseURI", element));
  }

  /* Whether a link or a form leads away from this page. */
  function leads(url, target) {
    const base = document.querySelector("base[target]");
    return /^(_self|_top|_parent)?$/i.test(target || (base && get(base, "target")) || "") && /^https?:/.test(url.protocol);
  }

  /* What follows a link, if it is one that leaves the page. */
  function leaving(event, path) {
    const link = path.find((node) => ACTIVE.test(node.nodeName));
    const href = link && (get(link, "href") ?? get(link, "xlink:href"));
    if (href == null || get(link, "download") !== null || link.isContentEditable) return;
    if (event.button !== 0 || event.ctrlKey || event.shiftKey || event.metaKey || event.altKey) return;
    const url = urlOf(link, href);
    if (!leads(url, get(link, "target")) || (/#/.test(url) && url.href.split("#")[0] === location.href.split("#")[0])) return;
    const again = link.ownerDocument.createElement("a");
    for (const name of ["target", "rel", "referrerpolicy", "ping"]) if (get(link, name) !== null) again.setAttribute(name, get(link, name));
    again.href = href;
    return () => again.click();
  }

  /* What sends a form as it is now, with the button that was pressed, if that leaves the page. */
  function sending(event) {
    const form = event.target;
    const button = event.submitter;
    const asked = (name) => (button && get(button, "form" + name)) ?? get(form, name);
    // A submit that a script has only told of sends nothing.
    if (!event.isTrusted || /^dialog$/i.test(asked("method"))) return;
    if (!leads(urlOf(form, asked("action") || location.href), asked("target"))) return;
    const changes = ["action", "method", "enctype", "target"].map((name) => [name, asked(name), get(form, name)]);
    const values = [...new FormData(form, button)];
    newest.set(form, event);
    /* By the form's own method no handler runs and nothing is checked again; what is sent are the values of that time. */
    return () => {
      if (newest.get(form) !== event) return;
      const fill = (filled) => {
        filled.stopImmediatePropagation();
        const data = filled.formData;
        for (const name of [...data.keys()]) data.delete(name);
        for (const [name, value] of values) data.append(name, value);
      };
      const put = (name, value) => value === null ? Element.prototype.removeAttribute.call(form, name) : Element.prototype.setAttribute.call(form, name, value);
      window.addEventListener("formdata", fill, true);
      for (const [name, now] of changes) put(name, now);
      HTMLFormElement.prototype.submit.call(form);
      for (const [name, , before] of changes) put(name, before);
      window.removeEventListener("formdata", fill, true);
    };
  }

  const method = (kind) => (...given) => {
    const answer = new Promise((resolve) => (follow(kind, ...given), resolve(face)));
    answer.catch((error) => console.warn("[satsuma] " + error));
    return answer;
  };
  const [trackLink, trackForm] = ["click", "submit"].map(method);
  return { trackLink, trackClick: trackLink, trackForm, trackSubmit: trackForm };
}
