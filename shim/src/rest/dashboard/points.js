// The points of a collection: pages in the order of ids, or those nearest to one of them.

import { call, collection, denseVectors, filter, id, idText } from "./api.js";
import { choice, failed, h, json } from "./elements.js";

/// A point as a card; `similar` is called with its id.
export function card(point, similar) {
  const score = typeof point.score === "number" ? h("span", { class: "score" }, point.score.toFixed(4)) : null;
  return h(
    "article",
    { class: "point" },
    h(
      "header",
      {},
      h("code", {}, idText(point.id)),
      score,
      similar ? h("button", { type: "button", onclick: () => similar(point.id) }, "Similar") : null,
    ),
    json(point.payload ?? {}),
  );
}

export async function points(name) {
  const told = await call("GET", collection(name));
  const named = [...Object.keys(denseVectors(told)), ...Object.keys(told.config.params.sparse_vectors ?? {})];
  const near = h("input", { placeholder: "id; empty for pages", "aria-label": "nearest to the point" });
  const using = choice("vector", named.length > 0 ? named : [""]);
  const typed = h("textarea", { rows: 2, spellcheck: "false", placeholder: '{"must": [{"key": "color", "match": {"value": "red"}}]}' });
  const limit = choice("at most", ["10", "50", "100"], "10");
  const list = h("section", { class: "points" });
  const more = h("button", { type: "button", hidden: true }, "More");
  let offset;

  const similar = named.length > 0
    ? (point) => {
        near.value = idText(point);
        start();
      }
    : undefined;

  async function page() {
    const request = { limit: Number(limit.select.value), filter: filter(typed.value), with_payload: true };
    if (!near.value.trim()) {
      const found = await call("POST", collection(name, "/points/scroll"), { ...request, offset });
      offset = found.next_page_offset ?? undefined;
      return found.points;
    }
    const query = { ...request, query: id(near.value), using: using.select.value || undefined };
    offset = undefined;
    return (await call("POST", collection(name, "/points/query"), query)).points;
  }
  async function add() {
    try {
      const found = await page();
      list.append(...found.map((point) => card(point, similar)));
      if (list.childElementCount === 0) list.append(h("p", {}, "no points"));
    } catch (error) {
      list.append(failed(error));
      offset = undefined;
    }
    more.hidden = offset === undefined;
  }
  async function start(event) {
    event?.preventDefault();
    offset = undefined;
    list.replaceChildren();
    await add();
  }
  more.addEventListener("click", add);
  await start();
  return h(
    "div",
    {},
    h(
      "form",
      { class: "controls", onsubmit: start },
      named.length > 0 ? h("label", {}, "nearest to", near) : null,
      named.length > 1 ? using.label : null,
      limit.label,
      h("label", { class: "wide" }, "filter", typed),
      h("button", { type: "submit" }, "Show"),
    ),
    list,
    more,
  );
}
