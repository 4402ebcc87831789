/* Who the visitor is, as a page is told at once where Python runs in a worker: what Python said last, and what the calls
   since then will make of it. An anonymousId that Python will need is chosen here, so that both know it. */
function makeForesight(newId) {
  let offer = newId();
  let who = { user: {}, group: {}, delivery: {}, failed: [] };

  function forget(known) {
    Object.assign(known, { id: null, anonymousId: null, traits: {} });
  }

  function become(known, id, traits) {
    const named = typeof id === "string" || typeof id === "number";
    const given = named || id === null || id === undefined ? traits : id;
    const same = !named || !known.id || known.id === String(id);
    known.traits = { ...(same ? known.traits : {}), ...(typeof given === "object" ? given : {}) };
    if (named) known.id = String(id);
  }

  const calls = {
    identify: (...args) => become(who.user, ...args),
    group: (...args) => become(who.group, ...args),
    reset(chosen) {
      forget(who.user);
      forget(who.group);
      offer = (chosen && chosen.next) || newId();
    },
    setAnonymousId: (id) => id !== undefined && (who.user.anonymousId = id),
  };

  /* A call of user() or group(): what it answers. */
  function identity(kind, name, [value, more]) {
    const known = who[kind];
    if (name === "save") return true;
    if (name === "load") return null;
    if (name === "reset" || name === "logout") return void forget(known);
    if (name === "identify") return void become(known, value, more);
    if (kind === "group" && name === "anonymousId") return undefined;
    if (value !== undefined) known[name] = value;
    else if (name === "anonymousId") known.anonymousId ??= offer;
    return known[name] ?? null;
  }

  return {
    identity,
    call: (name, args) => calls[name] && calls[name](...args),
    offer: () => offer,
    delivery: () => who.delivery,
    failed: () => who.failed,
    told(said) {
      who = JSON.parse(said);
      if (who.user.anonymousId === offer) offer = newId();
    },
  };
}
