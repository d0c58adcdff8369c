// A picture of a sample of the points: near each other where their vectors are.

import { call, collection, denseVectors, filter, idText } from "./api.js";
import { choice, failed, h } from "./elements.js";
import { layout } from "./layout.js";
import { card } from "./points.js";

const NEIGHBOURS = 10;
const COLORS = ["#2f6fde", "#e0863a", "#37a169", "#d6455d", "#8a5cd1", "#17a2b8", "#c9a227", "#e377c2", "#7a8b99", "#8c564b"];
const OTHER = "#9aa4ad";
/// Pixels from a point at which the pointer still means it.
const REACH = 12;

/// A sample of points with their places and payloads.
async function sample(name, size, using, only) {
  const request = { sample: size, limit: NEIGHBOURS, using: using || undefined, filter: only };
  const { pairs } = await call("POST", collection(name, "/points/search/matrix/pairs"), request);
  const ids = new Map();
  const number = (id) => {
    const text = idText(id);
    if (!ids.has(text)) ids.set(text, { id, number: ids.size });
    return ids.get(text).number;
  };
  const ranks = new Map();
  const edges = pairs.map(({ a, b }) => {
    const from = number(a);
    const rank = ranks.get(from) ?? 0;
    ranks.set(from, rank + 1);
    return { from, to: number(b), rank };
  });
  if (ids.size === 0) return [];
  const wanted = [...ids.values()].map(({ id }) => id);
  const found = await call("POST", collection(name, "/points"), { ids: wanted, with_payload: true, with_vector: false });
  const payloads = new Map(found.map((point) => [idText(point.id), point.payload ?? {}]));
  const places = layout(ids.size, edges, NEIGHBOURS);
  return wanted.map((id, at) => ({ id, x: places[2 * at], y: places[2 * at + 1], payload: payloads.get(idText(id)) ?? {} }));
}

/// Fields by which points can be told apart: those with few values that are words, numbers or truths.
function fields(points) {
  const values = new Map();
  for (const { payload } of points) {
    for (const [field, value] of Object.entries(payload)) {
      if (!["string", "number", "boolean"].includes(typeof value)) continue;
      if (!values.has(field)) values.set(field, new Set());
      values.get(field).add(value);
    }
  }
  const some = [...values].filter(([, set]) => set.size > 1 && set.size <= Math.max(20, points.length / 4));
  return some.sort(([, a], [, b]) => a.size - b.size).map(([field]) => field);
}

/// Colors of the most frequent values of a field.
function legend(points, field) {
  const counts = new Map();
  for (const { payload } of points) {
    const value = payload[field];
    if (value !== undefined) counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  const frequent = [...counts].sort(([, a], [, b]) => b - a).slice(0, COLORS.length);
  return new Map(frequent.map(([value], at) => [value, COLORS[at]]));
}

/// Draws points and answers which one is at a place.
function draw(canvas, points, color) {
  const scale = devicePixelRatio || 1;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  canvas.width = width * scale;
  canvas.height = height * scale;
  const pen = canvas.getContext("2d");
  pen.scale(scale, scale);
  const span = (values) => {
    const [least, most] = values.reduce(([a, b], value) => [Math.min(a, value), Math.max(b, value)], [Infinity, -Infinity]);
    return { least, size: most - least || 1 };
  };
  const [across, down] = [span(points.map(({ x }) => x)), span(points.map(({ y }) => y))];
  const spots = points.map((point) => ({
    point,
    x: 16 + ((point.x - across.least) / across.size) * (width - 32),
    y: 16 + ((point.y - down.least) / down.size) * (height - 32),
  }));
  pen.globalAlpha = 0.8;
  for (const { point, x, y } of spots) {
    pen.fillStyle = color(point);
    pen.beginPath();
    pen.arc(x, y, 3.5, 0, 2 * Math.PI);
    pen.fill();
  }
  return (x, y) => {
    let best;
    for (const spot of spots) {
      const far = Math.hypot(spot.x - x, spot.y - y);
      if (far <= REACH && far < (best?.far ?? Infinity)) best = { far, ...spot };
    }
    return best;
  };
}

export async function map(name) {
  const told = await call("GET", collection(name));
  const dense = Object.entries(denseVectors(told)).filter(([, params]) => !params.multivector_config).map(([key]) => key);
  if (dense.length === 0) return h("p", {}, "A map needs a dense vector, which this collection does not have.");
  const using = choice("vector", dense);
  const size = choice("points", ["200", "500", "1000", "2000"], "500");
  const typed = h("textarea", { rows: 1, spellcheck: "false", placeholder: '{"must": [...]}' });
  const colored = choice("color by", [""]);
  const canvas = h("canvas", { class: "map", role: "img", "aria-label": "points, near each other where their vectors are" });
  const key = h("ul", { class: "legend" });
  const detail = h("aside");
  let points = [];
  let at = () => undefined;

  function paint() {
    const field = colored.select.value;
    const colors = field ? legend(points, field) : new Map();
    at = draw(canvas, points, ({ payload }) => (field ? colors.get(payload[field]) ?? OTHER : COLORS[0]));
    key.replaceChildren(
      ...[...colors].map(([value, color]) => {
        const spot = h("span", { class: "dot" });
        spot.style.background = color;
        return h("li", {}, spot, String(value));
      }),
    );
  }
  async function start(event) {
    event?.preventDefault();
    detail.replaceChildren("sampling…");
    try {
      points = await sample(name, Number(size.select.value), using.select.value, filter(typed.value));
      const before = colored.select.value;
      const some = ["", ...fields(points)];
      const chosen = some.includes(before) && before ? before : (some[1] ?? "");
      colored.select.replaceChildren(
        ...some.map((value) => h("option", { value, selected: value === chosen }, value || "(one color)")),
      );
      detail.replaceChildren(points.length === 0 ? "No points have this vector." : `${points.length} points; point at one to see it.`);
      paint();
    } catch (error) {
      detail.replaceChildren(failed(error));
    }
  }
  canvas.addEventListener("pointermove", (event) => {
    const found = at(event.offsetX, event.offsetY);
    canvas.style.cursor = found ? "pointer" : "default";
    if (found) detail.replaceChildren(card(found.point));
  });
  colored.select.addEventListener("change", paint);
  new ResizeObserver(() => points.length > 0 && paint()).observe(canvas);
  start();
  return h(
    "div",
    {},
    h(
      "form",
      { class: "controls", onsubmit: start },
      dense.length > 1 ? using.label : null,
      size.label,
      colored.label,
      h("label", { class: "wide" }, "filter", typed),
      h("button", { type: "submit" }, "Draw"),
    ),
    h("div", { class: "picture" }, canvas, h("div", {}, key, detail)),
  );
}
