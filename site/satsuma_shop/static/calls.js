/* Makes the analytics calls that the server left for this page, in order. */
for (const [method, ...args] of JSON.parse(document.getElementById("analytics-calls").textContent)) {
  analytics[method](...args);
}
