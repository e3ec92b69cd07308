/** Times on the wire: RFC 3339, read with any offset, written in UTC. */
const RFC_3339 = /^(\d{4})-(\d{2})-(\d{2})T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/;

export function isTime(text: string): boolean {
  const match = RFC_3339.exec(text);
  if (!match) return false;
  // Date.parse accepts 31 February and rolls over; the calendar day must survive a round trip.
  const year = Number(match[1]);
  const month = Number(match[2]);
  const day = Number(match[3]);
  const date = new Date(Date.UTC(year, month - 1, day));
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}

/** Milliseconds since 1970 as the cloud writes times: whole seconds, UTC. */
export function timeText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/** The same with UTC as an offset (`2023-09-22T15:31:04+00:00`), as other structures of the cloud have it. */
export function cloudTime(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}+00:00`;
}
