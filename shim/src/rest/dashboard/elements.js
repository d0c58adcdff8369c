// Elements of the page. Text is set as text and never as markup: payloads come from anywhere.

/// An element with attributes, listeners (`onclick: f`) and children, which are elements or text.
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (typeof value === "boolean") element.toggleAttribute(name, value);
    else if (value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== undefined && child !== null));
  return element;
}

/// A line of choices with a name.
export function choice(name, values, chosen) {
  const select = h("select", {}, values.map((value) => h("option", { value, selected: value === chosen }, value || "(default)")));
  return { label: h("label", {}, name, select), select };
}

/// What went wrong, in place of what was to be shown.
export function failed(error) {
  return h("p", { class: "failed", role: "alert" }, error.message);
}

/// A value as indented JSON.
export function json(value) {
  return h("pre", { class: "json" }, JSON.stringify(value, null, 2));
}

/// Bytes for people.
export function bytes(count) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (count >= 1024 && unit + 1 < units.length) {
    count /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? count : count.toFixed(1)} ${units[unit]}`;
}

/// Numbers with their thousands apart.
export function number(count) {
  return typeof count === "number" ? count.toLocaleString("en") : "-";
}
