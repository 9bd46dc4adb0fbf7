// Numbers, times and names as people read them.

const NUMBERS = new Intl.NumberFormat("en");

/** "1,234" */
export const count = (n) => NUMBERS.format(n);

/** "1 image", "34 images" */
export const plural = (n, one, many = `${one}s`) => `${count(n)} ${n === 1 ? one : many}`;

/** The name of a cluster, or what stands for one. */
export const clusterName = (cluster) => cluster.name || `Cluster ${cluster.id}`;

/** "1 May 2024, 06:54" of a camera's wall-clock text, which has no zone and is never parsed. */
export function wallClock(text) {
  const found = /^(\d{4})-(\d\d)-(\d\d)T(\d\d:\d\d)/.exec(text || "");
  if (!found) return "";
  const [, year, month, day, time] = found;
  return `${Number(day)} ${MONTHS[month - 1]} ${year}, ${time}`;
}

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

/** "12:04" or "28 Nov, 12:04", in the zone of the reader, of a UTC time. */
export function moment(text) {
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) return "";
  const time = `${String(at.getHours()).padStart(2, "0")}:${String(at.getMinutes()).padStart(2, "0")}`;
  const today = at.toDateString() === new Date().toDateString();
  return today ? time : `${at.getDate()} ${MONTHS[at.getMonth()]}, ${time}`;
}

/** "12%" */
export const percent = (share) => `${Math.round(100 * share)}%`;

/** "Lion, Leopard and Tiger" */
export function listed(words) {
  if (words.length < 2) return words.join("");
  return `${words.slice(0, -1).join(", ")} and ${words[words.length - 1]}`;
}
