/* What plugins and code around the library are written with: contexts, and the readers of the calls' many forms of arguments, as
   analytics-next exports them. The library itself has its own reader, in Python; a test holds these to analytics-next's answers. */
/*CONTEXT*/

export { Context, ContextCancelation };

/** The page's global of the source that was loaded last: the stub, and from the start of Python on the library. */
export function getGlobalAnalytics() {
  return typeof window === "undefined" ? undefined : window[globalKey];
}

export function isDestinationPluginWithAddMiddleware(plugin) {
  return plugin.type === "destination" && "addMiddleware" in plugin;
}

const isText = (value) => typeof value === "string";
const isCallback = (value) => typeof value === "function";
const isObject = (value) => Object.prototype.toString.call(value) === "[object Object]";
const isNothing = (value) => value === null || value === undefined;
const textOf = (value) => (typeof value === "number" ? String(value) : value);

/** What `track` takes: the event's name or the whole event, then properties, options and a callback. */
export function resolveArguments(event, properties, options, callback) {
  const whole = isObject(event);
  const name = whole ? event.event : event;
  if (!isText(name) || !name) throw new Error("Event missing");
  const told = whole ? event.properties ?? {} : isObject(properties) ? properties : {};
  const asked = whole && !isCallback(properties) ? properties : isCallback(options) ? {} : options;
  return [name, told, asked ?? {}, [event, properties, options, callback].find(isCallback)];
}

/** What `page` and `screen` take: one text is the name, two are category and name; one object is the properties. */
export function resolvePageArguments(...all) {
  const given = all.slice(0, 5);
  const texts = given.filter(isText);
  const two = texts.length === 2;
  const category = two && isText(given[0]) ? given[0] : null;
  const name = two ? (isText(given[1]) ? given[1] : null) : texts.length === 1 ? texts[0] : null;
  const objects = given.filter(isObject);
  const optionsAlone = objects.length === 1 && isObject(given[3]);
  const [properties = {}, options = {}] = optionsAlone ? [{}, objects[0]] : objects.length < 3 ? objects : [];
  return [category, name, properties, options, given.find(isCallback)];
}

/** What `identify` and `group` take, for a user or group whose id stands in for one that is missing. */
export function resolveUserArguments(user) {
  return (...given) => {
    const places = ["id", "traits", "options", "callback"];
    const found = {};
    for (const one of given) {
      let place = places.shift();
      if (place === "id") {
        if (isText(one) || typeof one === "number") found.id = textOf(one);
        if (found.id !== undefined || isNothing(one)) continue;
        place = places.shift(); // What is no id is in the place of traits.
      }
      if (["traits", "options"].includes(place) && (isNothing(one) || isObject(one))) found[place] = one;
      if (isCallback(one)) {
        found.callback = one;
        break;
      }
    }
    return [found.id ?? user.id(), found.traits ?? {}, found.options ?? {}, found.callback];
  };
}

/** What `alias` takes: the new id and the old one, then options and a callback. */
export function resolveAliasArguments(to, from, options, callback) {
  const given = [textOf(to), textOf(from), options, callback];
  const [first = given[0], second = null] = given.filter(isText);
  const [asked = {}] = given.filter(isObject);
  return [first, second, asked, given.find(isCallback)];
}
