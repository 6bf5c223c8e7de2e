// The tree that the builder edits: lists of nodes {id, kind, params, row, branches}. `row` is what Python last said of a
// layer; `branches` are the lists inside a container, null for all other layers.

let nIds = 0;
const newId = () => `l${++nIds}`;

export function fresh(entry) {
  const params = Object.fromEntries(entry.fields.map((field) => [field.name, structuredClone(field.default)]));
  const branches = entry.holds ? Array.from({ length: entry.holds.start }, () => []) : null;
  return { id: newId(), kind: entry.kind, params, branches, row: null };
}

export function copied({ kind, params, branches }) {
  return { id: newId(), kind, params: structuredClone(params), branches: branches?.map((branch) => branch.map(copied)) ?? null, row: null };
}

// What goes up: no ids, and nothing of what Python said
export function plain({ kind, params, branches }) {
  return branches ? { kind, params, branches: branches.map((branch) => branch.map(plain)) } : { kind, params };
}

// A place is where a node stands: its list and index in it, and the place of the container around it with the branch's index
export function* places(list, parent = null, branch = 0) {
  for (const [index, node] of list.entries()) {
    const place = { node, list, index, parent, branch };
    yield place;
    for (const [b, inner] of (node.branches ?? []).entries()) yield* places(inner, place, b);
  }
}

export function placeOf(layers, id) {
  for (const place of places(layers)) if (place.node.id === id) return place;
  return null;
}

export function placeAt(layers, path) {
  const text = JSON.stringify(path);
  for (const place of places(layers)) if (JSON.stringify(pathOf(place)) === text) return place;
  return null;
}

export function pathOf({ parent, branch, index }) {
  return parent ? [...pathOf(parent), branch, index] : [index];
}

export const letter = (branch) => "abcdefgh"[branch];

// As a person reads it: 4, in a skip connection 4.2, in a second branch 4b.2 (layer_number in core/models/model.py)
export function numberOf({ parent, branch, index }) {
  if (!parent) return String(index + 1);
  const lettered = parent.node.branches.length > 1 ? letter(branch) : "";
  return `${numberOf(parent)}${lettered}.${index + 1}`;
}

export const depthOf = (parent) => (parent ? depthOf(parent.parent) + 1 : 0);
export const size = (list) => [...places(list)].length;
const height = ({ branches }) => (branches ? 1 + Math.max(0, ...branches.flat().map(height)) : 0);

// Where a layer may go: before number `index` of the list that is the branch of `parent`, or the stack itself
export function target(layers, parent, branch, index = Infinity) {
  const list = parent ? parent.node.branches[branch] : layers;
  return { list, parent, branch, index: Math.min(index, list.length) };
}

export const beside = ({ list, parent, branch, index }, by) => ({ list, parent, branch, index: index + by });

// Why `node` may not go there, as the name of a text; null where it may. `isNew` where it adds to the number of layers
export function reasonAgainst(view, node, { list, parent }, isNew) {
  for (let at = parent; at; at = at.parent) if (at.node === node) return "itself";
  if (depthOf(parent) + height(node) > view.data.max_depth) return "deep";
  if (isNew && size(view.layers) + size([node]) > view.data.max_layers) return "full";
  const longest = parent ? view.entries.get(parent.node.kind).holds.longest : view.data.max_layers;
  return !list.includes(node) && list.length >= longest ? (parent ? "long" : "full") : null;
}

// One step of the keyboard: past the neighbour, into it where it is an open container, at the ends out of its own
export function step(view, place, direction) {
  const { node, list, index, parent, branch } = place;
  const neighbour = list[index + direction];
  if (neighbour) {
    const last = (neighbour.branches?.length ?? 0) - 1;
    if (last >= 0 && !view.folded.has(neighbour.id)) {
      const around = { node: neighbour, list, index: index + direction, parent, branch };
      const inside = direction > 0 ? target(view.layers, around, 0, 0) : target(view.layers, around, last);
      if (!reasonAgainst(view, node, inside, false)) return inside;
    }
    return beside(place, direction > 0 ? 2 : -1);
  }
  if (!parent) return null;
  if (parent.node.branches[branch + direction]) return target(view.layers, parent, branch + direction, direction > 0 ? 0 : Infinity);
  return beside(parent, direction > 0 ? 1 : 0);
}

// Takes the node of `place` to `target`; false where it is there already
export function moved({ node, list, index }, { list: to, index: before }) {
  const at = to === list && before > index ? before - 1 : before;
  if (to === list && at === index) return false;
  list.splice(index, 1);
  to.splice(at, 0, node);
  return true;
}

// Python's rows as nodes; one that was there before keeps its id, so that the focus stays with it
export function adopted(old, rows) {
  const isSame = (node, row) => node.kind === row.kind;
  const most = Math.min(old.length, rows.length);
  let head = 0;
  while (head < most && isSame(old[head], rows[head])) head += 1;
  let tail = 0;
  while (tail < most - head && isSame(old[old.length - 1 - tail], rows[rows.length - 1 - tail])) tail += 1;
  return rows.map((row, i) => {
    const before = i < head ? old[i] : i >= rows.length - tail ? old[old.length - rows.length + i] : null;
    const branches = row.branches?.map((inner, b) => adopted(before?.branches?.[b] ?? [], inner)) ?? null;
    return { id: before?.id ?? newId(), kind: row.kind, params: { ...row.params }, branches, row };
  });
}
