// The ids of images: 16 bytes each in columns, 32 hex digits elsewhere.

const HEX = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, "0"));
const BYTES = 16;

/** The id in a row of a column of ids. */
export function idAt(bytes, row) {
  let id = "";
  for (let i = BYTES * row; i < BYTES * (row + 1); i += 1) id += HEX[bytes[i]];
  return id;
}

/** A column of ids. */
export function bytesOf(ids) {
  const bytes = new Uint8Array(BYTES * ids.length);
  ids.forEach((id, row) => {
    for (let i = 0; i < BYTES; i += 1) bytes[BYTES * row + i] = parseInt(id.substr(2 * i, 2), 16);
  });
  return bytes;
}

/** A column of ids as JSON has it. */
export function fromBase64(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const raw = atob(text);
  const bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i += 1) bytes[i] = raw.charCodeAt(i);
  return bytes;
}
