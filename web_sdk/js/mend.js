/* Functions of Object and Array that the page had replaced before anybody saw them, as prototype.js 1.6 does, are written
   here anew. */
function mend(intrinsics) {
  const { Object: OwnObject, Array: OwnArray } = intrinsics;
  const anew = { values: (value) => ownKeys(value).map((name) => value[name]), entries: (value) => ownKeys(value).map((name) => [name, value[name]]) };
  for (const name of ownKeys(anew)) if (isReplaced(OwnObject[name])) OwnObject[name] = anew[name];
  if (isReplaced(OwnArray.from)) OwnArray.from = (list, change) => (change ? [...iterable(list)].map(change) : [...iterable(list)]);
  return intrinsics;
}
function* iterable(list) {
  if (list[Symbol.iterator]) yield* list;
  else for (let i = 0; i < list.length; i++) yield list[i];
}
