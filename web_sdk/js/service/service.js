/* What a site's service worker imports: Satsuma's Python lives in it, for all pages of the site. */
!(function (host) {
  var RUNTIME = /*RUNTIME*/ { folder: "dev/", integrity: {}, image: {} } /*END*/;
  var folder = host + "/analytics.js/runtime/" + RUNTIME.folder;
  importScripts(folder + "service_worker.js");
  self.satsumaService({ folder: folder, image: RUNTIME.image, integrity: RUNTIME.integrity, version: RUNTIME.folder.slice(0, -1) });
})(__HOST__);
