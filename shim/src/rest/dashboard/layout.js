// Places for points on a plane, so that those that are near each other in the collection are near each other there.
//
// UMAP's second half (McInnes, Healy and Melville, 2018, section 3.2): points pull their neighbours and push away points at
// random. Its first half, fuzzy weights of distances, is replaced by weights of ranks, which suit every distance and every
// scale of scores.

// Of the curve 1 / (1 + A d^(2 B)): that for a least distance of 0.1 and a spread of 1.
const A = 1.577;
const B = 0.895;
const PUSHED = 5;
const LONGEST_STEP = 4;

/// Numbers in 0..1 from a seed (mulberry32): the same points have the same picture.
function random(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/// Places after places of neighbours: what is connected starts out together.
function start(count, edges, next) {
  const near = Array.from({ length: count }, () => []);
  for (const { from, to } of edges) {
    near[from].push(to);
    near[to].push(from);
  }
  const order = [];
  const seen = new Uint8Array(count);
  for (let first = 0; first < count; first += 1) {
    if (seen[first]) continue;
    seen[first] = 1;
    let at = order.push(first) - 1;
    for (; at < order.length; at += 1) {
      for (const other of near[order[at]]) {
        if (!seen[other]) {
          seen[other] = 1;
          order.push(other);
        }
      }
    }
  }
  const places = new Float64Array(2 * count);
  order.forEach((point, at) => {
    const angle = (2 * Math.PI * at) / count;
    places[2 * point] = 10 * Math.cos(angle) + next();
    places[2 * point + 1] = 10 * Math.sin(angle) + next();
  });
  return places;
}

const clip = (step) => Math.max(-LONGEST_STEP, Math.min(LONGEST_STEP, step));

/// The places (x, y, x, y, ...) of `count` points. `edges` are pairs of points by number, with `rank`: 0 for the nearest
/// neighbour, and so on up to `neighbours`.
export function layout(count, edges, neighbours, { epochs = 400, seed = 1 } = {}) {
  const next = random(seed);
  const places = start(count, edges, next);
  const chances = edges.map(({ rank }) => 1 - (0.8 * rank) / Math.max(1, neighbours));
  for (let epoch = 0; epoch < epochs; epoch += 1) {
    const rate = 1 - epoch / epochs;
    edges.forEach(({ from, to }, edge) => {
      if (next() > chances[edge]) return;
      const a = 2 * from;
      const b = 2 * to;
      let x = places[a] - places[b];
      let y = places[a + 1] - places[b + 1];
      let squared = x * x + y * y;
      if (squared > 0) {
        const pull = (-2 * A * B * squared ** (B - 1)) / (1 + A * squared ** B);
        const [right, up] = [rate * clip(pull * x), rate * clip(pull * y)];
        places[a] += right;
        places[a + 1] += up;
        places[b] -= right;
        places[b + 1] -= up;
      }
      for (let pushed = 0; pushed < PUSHED; pushed += 1) {
        const other = 2 * Math.floor(next() * count);
        if (other === a) continue;
        x = places[a] - places[other];
        y = places[a + 1] - places[other + 1];
        squared = x * x + y * y;
        const push = (2 * B) / ((0.001 + squared) * (1 + A * squared ** B));
        places[a] += rate * clip(push * x);
        places[a + 1] += rate * clip(push * y);
      }
    });
  }
  return places;
}
