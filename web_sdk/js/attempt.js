/* Calls a method of the page's, and tells what came of it, whatever that is: Python can't catch what is no Error. */
function attempt(target, name, ...args) {
  const failed = (error) => {
    const { reason, message, retry, type } = Object(error);
    return { failed: true, error, text: String(reason || message || error), cancels: typeof retry === "boolean", retry, type };
  };
  try {
    const value = target[name](...args);
    return value && typeof value.then === "function" ? Promise.resolve(value).then((value) => ({ value }), failed) : { value };
  } catch (error) {
    return failed(error);
  }
}
