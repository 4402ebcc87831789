/* Between a page and its worker: values that can be posted, functions and contexts as their numbers. Both halves have it.

   `kinds` says how a side writes and reads what only it can make: {name: {is(value), write(value), read(written)}}. */
const QUEUE = "satsuma_queue:"; // What the keys of pages' journals begin with.
/* A journal that anybody may take from now on. */
const freed = (text) => text.replace(/^{"at":[0-9]+/, '{"at":0');
/* A cookie's name and value. */
function halves(pair) {
  const at = pair.indexOf("=");
  return at < 0 ? ["", pair] : [pair.slice(0, at), pair.slice(at + 1)];
}
const DEEPEST = 3; // Below it there are no functions to be handed over, but cycles there may be.

function makeLine(post, kinds) {
  const given = new Map(); // Functions of this side, by number.
  const numbers = new WeakMap();
  const taken = new Map(); // Stand-ins for those of the other side.
  const waiting = new Map(); // Calls that have no answer yet.
  let last = 0;

  function write(value, depth = 0) {
    if (typeof value === "function") return { $function: numberOf(value) };
    if (value === null || typeof value !== "object" || depth > DEEPEST) return value;
    for (const [name, kind] of Object.entries(kinds)) if (kind.is(value)) return { ["$" + name]: kind.write(value) };
    if (Array.isArray(value)) return value.map((item) => write(item, depth + 1));
    const plain = Object.getPrototypeOf(value);
    if (plain !== Object.prototype && plain !== null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, write(item, depth + 1)]));
  }

  function read(value) {
    if (value === null || typeof value !== "object") return value;
    if (Array.isArray(value)) return value.map(read);
    if (value.$function) return standIn(value.$function);
    for (const [name, kind] of Object.entries(kinds)) if ("$" + name in value) return kind.read(value["$" + name]);
    const plain = Object.getPrototypeOf(value);
    if (plain !== Object.prototype && plain !== null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, read(item)]));
  }

  function numberOf(method) {
    if (!numbers.has(method)) numbers.set(method, ++last);
    given.set(numbers.get(method), method);
    return numbers.get(method);
  }

  /* One for each function of the other side, so that `off` finds what `on` was given. */
  function standIn(number) {
    if (!taken.has(number)) taken.set(number, (...args) => ask({ call: number, args: args.map((arg) => write(arg)) }));
    return taken.get(number);
  }

  function ask(message) {
    const id = ++last;
    post({ ...message, id });
    return new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
  }

  /* Takes a message; tells whether it was one of the line's own. */
  function take(message) {
    if (message.call) answer(message);
    else if (message.answers) settle(message);
    return Boolean(message.call || message.answers);
  }

  async function answer({ call, args, id }) {
    const values = args.map(read);
    const told = { answers: id };
    try {
      told.value = write(await given.get(call)(...values));
    } catch (error) {
      const { message, retry, type, reason } = Object(error);
      told.error = String(reason || message || error || "it failed");
      if (typeof retry === "boolean") told.fate = { retry, type, reason };
    }
    // What the function did to its arguments counts on the other side too.
    told.args = values.map((value) => (Object.values(kinds).some((kind) => kind.is(value)) ? write(value) : null));
    try {
      post(told);
    } catch (error) {
      post({ answers: id, args: [], error: "the answer can't be handed over: " + error });
    }
  }

  function settle({ answers, value, error, fate, args }) {
    const { resolve, reject } = waiting.get(answers);
    waiting.delete(answers);
    args.forEach(read);
    if (error === undefined) resolve(read(value));
    else reject(Object.assign(new Error(error), fate));
  }

  return { write, read, ask, take };
}
