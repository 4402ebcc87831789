/* Where a page requires Trusted Types, the address of a script must come from a policy that the page's owner has allowed by
   its name. Ours lets pass what lies in the collector's folder /analytics.js/, and the worker that the loader makes of a file
   of that folder. A page has one policy for each collector: snippet and loader share it. */
function trusted(global, document, host, url) {
  var link = document.createElement("a"), folder, mark;
  function whole(address) {
    link.href = address;
    return link.href;
  }
  if (!global.trustedTypes) return url;
  folder = whole(host + "/analytics.js/");
  mark = Symbol.for("satsuma " + folder);
  function check(address) {
    var found = whole(address);
    if (found.indexOf(folder) && found.indexOf("blob:" + location.origin + "/")) throw new Error(found + " is not a file of " + folder);
    return found;
  }
  try {
    global[mark] = global[mark] || global.trustedTypes.createPolicy("satsuma", { createScriptURL: check });
  } catch (error) {
    /* The page may require none, or have a default policy: then the text itself will do. */
    try {
      document.createElement("script").src = url;
      return url;
    } catch (_) {
      folder = folder.slice(0, -14);
      throw new Error("The page requires Trusted Types. Its Content-Security-Policy must also have:\n  script-src " + folder +
        " 'wasm-unsafe-eval';\n  connect-src " + folder + ";\n  trusted-types satsuma;");
    }
  }
  return global[mark].createScriptURL(url);
}
