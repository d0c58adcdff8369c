// All collections.

import { call, collection, denseVectors } from "./api.js";
import { failed, h, number } from "./elements.js";

function vectors(info) {
  const dense = Object.entries(denseVectors(info)).map(
    ([name, { size, distance }]) => `${name ? `${name}: ` : ""}${size} ${distance}`,
  );
  const sparse = Object.keys(info.config.params.sparse_vectors ?? {}).map((name) => `${name}: sparse`);
  return [...dense, ...sparse].join(", ") || "none";
}

async function row(name) {
  const link = h("a", { href: `#/c/${encodeURIComponent(name)}` }, name);
  try {
    const info = await call("GET", collection(name));
    return h(
      "tr",
      {},
      h("td", {}, link),
      h("td", {}, h("span", { class: `dot ${info.status}`, title: info.status }), info.status),
      h("td", { class: "number" }, number(info.points_count)),
      h("td", { class: "number" }, number(info.indexed_vectors_count)),
      h("td", { class: "number" }, number(info.segments_count)),
      h("td", {}, vectors(info)),
    );
  } catch (error) {
    return h("tr", {}, h("td", {}, link), h("td", { colspan: 5 }, failed(error)));
  }
}

/// Rows are asked for as many at a time: thousands of collections must not be thousands of requests at once.
const AT_A_TIME = 20;

export async function collections() {
  const [{ collections }, { aliases }] = await Promise.all([call("GET", "/collections"), call("GET", "/aliases")]);
  const names = collections.map(({ name }) => name).sort();
  if (names.length === 0) {
    return h("p", {}, "There are no collections yet. The ", h("a", { href: "#/console" }, "console"), " can make one.");
  }
  const body = h("tbody");
  const more = h("button", { type: "button" }, "More");
  let next = 0;
  async function add() {
    const some = names.slice(next, next + AT_A_TIME);
    next += some.length;
    body.append(...(await Promise.all(some.map(row))));
    more.hidden = next >= names.length;
  }
  more.addEventListener("click", add);
  await add();
  const heads = ["Name", "Status", "Points", "Indexed vectors", "Segments", "Vectors"];
  const list = aliases.map(({ alias_name: alias, collection_name: target }) => h("li", {}, `${alias} → ${target}`));
  return h(
    "div",
    {},
    h("h1", {}, `${number(names.length)} collection${names.length === 1 ? "" : "s"}`),
    h("table", {}, h("thead", {}, h("tr", {}, heads.map((head) => h("th", {}, head)))), body),
    more,
    list.length > 0 ? h("section", {}, h("h2", {}, "Aliases"), h("ul", {}, list)) : null,
  );
}
