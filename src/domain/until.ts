/** Records that end by themselves: until when they hold. Pure. They are taken out of the world by control/ended-records.ts. */

export interface Ending {
  /** Milliseconds since 1970; absent: until it is taken back. */
  readonly until?: number;
}

export function isStanding({ until }: Ending, now: number): boolean {
  return until === undefined || until > now;
}
