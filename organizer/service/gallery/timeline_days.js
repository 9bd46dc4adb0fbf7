// Events in rows by day. Times are the camera's own: text without a zone, which is never converted.

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
const MOST_MARKS = 400;

/** "1 May 2024" of "2024-05-01" */
export function dayTitle(day) {
  const [year, month, date] = day.split("-");
  return `${Number(date)} ${MONTHS[Number(month) - 1]} ${Number(year)}`;
}

/**
 * @param {object[]} events Of GET /timeline, in any order.
 * @param {number} columns Cards in a row.
 * @param {{day: number, cards: number}} heights In pixels.
 * @returns {{rows: object[], order: object[], height: number}} Rows from top to bottom: {kind:
 *   "day", top, day, from, events, images, marks} and {kind: "cards", top, day, from, events,
 *   isFirst}; `order`: the events as they are shown; `from`: the place of a row's first one in it.
 */
export function dayRows(events, columns, heights) {
  const order = [...events].sort(
    (a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : a.event - b.event),
  );
  const rows = [];
  let top = 0;
  for (let from = 0; from < order.length;) {
    const day = order[from].start.slice(0, 10);
    let end = from;
    while (end < order.length && order[end].start.startsWith(day)) end += 1;
    const some = order.slice(from, end);
    rows.push({
      kind: "day",
      top,
      day,
      from,
      events: some.length,
      images: some.reduce((sum, event) => sum + event.images, 0),
      marks: some.slice(0, MOST_MARKS).map((event) => markOf(event, day)),
    });
    top += heights.day;
    for (let at = from; at < end; at += columns) {
      const cards = order.slice(at, Math.min(at + columns, end));
      rows.push({ kind: "cards", top, day, from: at, events: cards, isFirst: at === from });
      top += heights.cards;
    }
    from = end;
  }
  return { rows, order, height: top };
}

const TENTH_HOURS = 10;

/** Where an event is among the hours of its day, in tenths of an hour, from 0 to 240. */
function markOf(event, day) {
  const from = hours(event.start);
  const to = event.end.startsWith(day) ? hours(event.end) : 24;
  return {
    from: TENTH_HOURS * from,
    width: Math.max(TENTH_HOURS * (to - from), 1.4),
    isNight: isNightTime(event.start),
  };
}

const [EVENING, MORNING] = [20, 6]; // hours

/** Whether it is night by the camera's clock: what light the photo was taken by does not say it. */
export function isNightTime(time) {
  const hour = hours(time);
  return hour >= EVENING || hour < MORNING;
}

function hours(time) {
  return Number(time.slice(11, 13)) + Number(time.slice(14, 16)) / 60;
}

/** The months of the rows: {key, label, top}. */
export function monthsOf(rows) {
  const months = new Map();
  for (const row of rows) {
    const key = row.day.slice(0, 7);
    if (row.kind === "day" && !months.has(key)) months.set(key, row.top);
  }
  return [...months].map(([key, top]) => {
    const [year, month] = key.split("-");
    return { key, top, label: `${MONTHS[Number(month) - 1]} ${Number(year)}` };
  });
}
