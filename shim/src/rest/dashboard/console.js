// Requests by hand.

import { exact, send } from "./api.js";
import { h } from "./elements.js";

const EXAMPLES = {
  "all collections": "GET /collections",
  "a new collection": 'PUT /collections/birds\n{"vectors": {"size": 3, "distance": "Cosine"}}',
  "some points":
    'PUT /collections/birds/points?wait=true\n{"points": [\n  {"id": 1, "vector": [0.9, 0.1, 0.0], "payload": {"name": "owl"}},\n  {"id": 2, "vector": [0.8, 0.2, 0.1], "payload": {"name": "hawk"}}\n]}',
  "a query": 'POST /collections/birds/points/query\n{"query": [1.0, 0.0, 0.0], "limit": 5, "with_payload": true}',
  "a payload index": 'PUT /collections/birds/index?wait=true\n{"field_name": "name", "field_schema": "keyword"}',
  "values of a field": 'POST /collections/birds/facet\n{"key": "name"}',
};

/// A line `METHOD /path`, and a body below it.
function parse(text) {
  const [first, ...rest] = text.trim().split("\n");
  const [, method, path] = /^([A-Za-z]+)\s+(\/\S*)\s*$/.exec(first) ?? [];
  if (!method) throw new Error("the first line has to be a method and a path: GET /collections");
  const body = rest.join("\n").trim();
  return { method: method.toUpperCase(), path, body: body || undefined };
}

function pretty(text) {
  try {
    return JSON.stringify(exact(text), null, 2);
  } catch {
    return text;
  }
}

export function console_() {
  const request = h("textarea", { rows: 12, spellcheck: "false", "aria-label": "request" });
  request.value = EXAMPLES["all collections"];
  const answer = h("pre", { class: "json", "aria-live": "polite" });
  const state = h("span");
  async function run(event) {
    event?.preventDefault();
    const started = performance.now();
    try {
      const { method, path, body } = parse(request.value);
      const told = await send(method, path, body);
      state.textContent = `${told.status} in ${(performance.now() - started).toFixed(1)} ms`;
      answer.textContent = pretty(told.text);
    } catch (error) {
      state.textContent = "";
      answer.textContent = error.message;
    }
  }
  request.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) run(event);
  });
  const examples = Object.entries(EXAMPLES).map(([name, text]) =>
    h("button", { type: "button", class: "example", onclick: () => (request.value = text) }, name),
  );
  return h(
    "form",
    { onsubmit: run },
    h("h1", {}, "Console"),
    h("p", { class: "examples" }, examples),
    h("div", { class: "console" }, request, answer),
    h("p", {}, h("button", { type: "submit", title: "Ctrl-Enter" }, "Send"), " ", state),
  );
}
