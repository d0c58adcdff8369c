// The snapshots of a collection.

import { call, collection, key } from "./api.js";
import { bytes, failed, h } from "./elements.js";

/// Saves a snapshot: by a request, as links carry no key.
async function download(name, file) {
  const headers = key.get() ? { "api-key": key.get() } : {};
  const answer = await fetch(collection(name, `/snapshots/${encodeURIComponent(file)}`), { headers });
  if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`);
  const url = URL.createObjectURL(await answer.blob());
  h("a", { href: url, download: file }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

export async function snapshots(name) {
  const section = h("section");
  const attempt = (action) => async (event) => {
    event.target.disabled = true;
    try {
      await action();
      await show();
    } catch (error) {
      section.prepend(failed(error));
      event.target.disabled = false;
    }
  };
  async function show() {
    const list = await call("GET", collection(name, "/snapshots"));
    const rows = list.map(({ name: file, size, creation_time: made, checksum }) =>
      h(
        "tr",
        {},
        h("td", { title: checksum ? `SHA-256 ${checksum}` : "" }, file),
        h("td", { class: "number" }, bytes(size)),
        h("td", {}, made ?? ""),
        h("td", {}, h("button", { type: "button", onclick: attempt(() => download(name, file)) }, "Download")),
      ),
    );
    section.replaceChildren(
      h("button", { type: "button", onclick: attempt(() => call("POST", collection(name, "/snapshots?wait=true"))) }, "Take a snapshot"),
      rows.length > 0
        ? h("table", {}, h("thead", {}, h("tr", {}, ["File", "Size", "Made", ""].map((head) => h("th", {}, head)))), h("tbody", {}, rows))
        : h("p", {}, "There are no snapshots."),
    );
  }
  await show();
  return section;
}
