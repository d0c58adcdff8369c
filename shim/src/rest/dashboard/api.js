// Calls of the REST interface that serves this page.

const KEY = "vdb-api-key";

/// The key that requests carry: kept until the tab is closed.
export const key = {
  get: () => sessionStorage.getItem(KEY) ?? "",
  set: (value) => (value ? sessionStorage.setItem(KEY, value) : sessionStorage.removeItem(KEY)),
};

/// Sends a request and answers its status and text.
export async function send(method, path, body) {
  const headers = {};
  if (key.get()) headers["api-key"] = key.get();
  if (body !== undefined) headers["content-type"] = "application/json";
  const response = await fetch(path, { method, headers, body });
  return { status: response.status, ok: response.ok, text: await response.text() };
}

/// Reads JSON without rounding: integers that JavaScript's numbers cannot hold stay as they are written, and are sent so
/// again, in browsers that can keep them (`JSON.rawJSON`).
export function exact(text) {
  return JSON.parse(text, (_, value, context) => {
    const rounded = Number.isInteger(value) && !Number.isSafeInteger(value) && /^-?\d+$/.test(context?.source ?? "");
    return rounded && JSON.rawJSON ? JSON.rawJSON(context.source) : value;
  });
}

/// An id as text.
export function idText(id) {
  return id?.rawJSON ?? String(id);
}

/// The `result` of a request; throws what the server says is wrong.
export async function call(method, path, body) {
  const answer = await send(method, path, body === undefined ? undefined : JSON.stringify(body));
  let read;
  try {
    read = exact(answer.text);
  } catch {
    // Refusals of keys are plain text.
    throw new Error(`${answer.status}: ${answer.text || "no text"}`);
  }
  if (!answer.ok) throw new Error(read?.status?.error ?? `${answer.status}: ${answer.text}`);
  return read.result;
}

/// The path of a collection.
export function collection(name, rest = "") {
  return `/collections/${encodeURIComponent(name)}${rest}`;
}

/// The filter that somebody typed: none where nothing is.
export function filter(text) {
  if (!text.trim()) return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`the filter is not JSON: ${error.message}`);
  }
}

/// An id as people type it: a number or a UUID.
export function id(text) {
  const typed = text.trim();
  return /^\d+$/.test(typed) ? exact(typed) : typed;
}

/// The dense vectors of a collection by name; the one without a name is "".
export function denseVectors(info) {
  const vectors = info.config.params.vectors ?? {};
  return typeof vectors.size === "number" ? { "": vectors } : vectors;
}
