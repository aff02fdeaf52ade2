// The API key, where the service asks for one. This tab alone keeps it.

const PLACE = "gatewise-key";

export const keepKey = (key) => sessionStorage.setItem(PLACE, key.trim());

export function keyHeaders() {
  const key = sessionStorage.getItem(PLACE);
  return key ? { Authorization: `Bearer ${key}` } : {};
}

/** What a WebSocket offers in place of headers, which a page cannot give it. */
export function keyProtocols() {
  const key = sessionStorage.getItem(PLACE);
  return key ? ["gatewise", `gatewise.key.${key}`] : [];
}
