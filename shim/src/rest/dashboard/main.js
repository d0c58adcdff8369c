// Which page is shown: `#/`, `#/console`, `#/c/NAME`, `#/c/NAME/TAB`.

import { call, key } from "./api.js";
import { collections } from "./collections.js";
import { console_ } from "./console.js";
import { failed, h } from "./elements.js";
import { info } from "./info.js";
import { map } from "./map.js";
import { points } from "./points.js";
import { snapshots } from "./snapshots.js";

const TABS = { points, map, info, snapshots };
const NAMES = { points: "Points", map: "Map", info: "Info", snapshots: "Snapshots" };

const page = document.getElementById("page");
let shown = 0;

async function content() {
  const [, place, name, tab = "points"] = location.hash.split("/").map(decodeURIComponent);
  if (place === "console") return console_();
  if (place !== "c" || !name) return collections();
  const make = TABS[tab] ?? points;
  const tabs = Object.keys(TABS).map((key) =>
    h("a", { href: `#/c/${encodeURIComponent(name)}/${key}`, class: TABS[key] === make ? "here" : "" }, NAMES[key]),
  );
  return h("div", {}, h("h1", {}, name), h("nav", { class: "tabs" }, tabs), await make(name));
}

async function show() {
  // Whoever clicks twice sees the second page, whichever answer comes first.
  const turn = ++shown;
  let next;
  try {
    next = await content();
  } catch (error) {
    next = failed(error);
  }
  if (turn === shown) page.replaceChildren(next);
}

document.getElementById("key").addEventListener("click", () => {
  const typed = prompt("API key (kept until this tab is closed; empty for none)", key.get());
  if (typed === null) return;
  key.set(typed.trim());
  show();
});

fetch("/")
  .then((answer) => answer.json())
  .then(({ version }) => (document.getElementById("version").textContent = `Qdrant ${version} interface`))
  .catch(() => {});
addEventListener("hashchange", show);
show();
