// The API key, where the service asks for one. This tab alone keeps it.

const PLACE = "gatewise-key";

const TOKEN = /^[\w.~+-]+$/; // what both a header and a WebSocket can carry

/** Keep a key, which may come as it stands in a header; return whether it can be one. */
export function keepKey(given) {
  const key = given.trim().replace(/^Bearer\s+/i, "");
  const fits = TOKEN.test(key);
  if (fits) sessionStorage.setItem(PLACE, key);
  return fits;
}

/** Return the kept key; null for none, or for what would make a request throw. */
function findKey() {
  const key = sessionStorage.getItem(PLACE);
  return key !== null && TOKEN.test(key) ? key : null;
}

export function keyHeaders() {
  const key = findKey();
  return key ? { Authorization: `Bearer ${key}` } : {};
}

/** What a WebSocket offers in place of headers, which a page cannot give it. */
export function keyProtocols() {
  const key = findKey();
  return key ? ["gatewise", `gatewise.key.${key}`] : [];
}
