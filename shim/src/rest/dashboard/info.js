// What a collection is: state, settings, payload indexes.

import { call, collection } from "./api.js";
import { h, json, number } from "./elements.js";

export async function info(name) {
  const told = await call("GET", collection(name));
  const facts = {
    Status: told.status,
    Optimizer: typeof told.optimizer_status === "string" ? told.optimizer_status : told.optimizer_status?.error,
    Points: number(told.points_count),
    "Indexed vectors": number(told.indexed_vectors_count),
    Segments: number(told.segments_count),
  };
  const indexes = Object.entries(told.payload_schema ?? {}).map(([field, { data_type: kind, points, params }]) =>
    h(
      "tr",
      {},
      h("td", {}, field),
      h("td", {}, kind),
      h("td", { class: "number" }, number(points)),
      h("td", {}, params ? JSON.stringify(params) : ""),
    ),
  );
  const heads = ["Field", "Index", "Points", "Settings"];
  return h(
    "div",
    {},
    h("dl", {}, Object.entries(facts).flatMap(([fact, value]) => [h("dt", {}, fact), h("dd", {}, value ?? "-")])),
    h("h2", {}, "Payload indexes"),
    indexes.length > 0
      ? h("table", {}, h("thead", {}, h("tr", {}, heads.map((head) => h("th", {}, head)))), h("tbody", {}, indexes))
      : h("p", {}, "none"),
    h("h2", {}, "Settings"),
    json(told.config),
  );
}
