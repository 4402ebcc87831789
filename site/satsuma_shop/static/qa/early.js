/* Before anything else: where the tester has taken the network away, the browser says so, as it does on a real train. */
if (/(?:^|; )grove_weather=offline/.test(document.cookie))
  Object.defineProperty(Navigator.prototype, "onLine", { configurable: true, get: () => false });
