/** Time as the cloud writes it: RFC 3339, whole seconds, UTC as an offset (`2023-09-22T15:31:04+00:00`). */
export function cloudTime(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}+00:00`;
}
