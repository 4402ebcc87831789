// Trusted Types: the console's policy lets no text become a script or a script's address, whatever library is given it.
// HTML is the collector's own, with everything of an event escaped, and its inline scripts are off by script-src.
(() => {
  "use strict";
  window.trustedTypes?.createPolicy("default", { createHTML: (html) => html });
})();
