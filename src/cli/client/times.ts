/** Spans of time as people write and read them: 90s, 10m, 2h, 1d. Pure. */
import { Usage } from '../../config/usage.ts';

const SECONDS: Readonly<Record<string, number>> = { d: 86_400, h: 3_600, m: 60, s: 1 };

/** Of the flag `--for`; undefined where it was not given. Throws Usage. */
export function secondsFrom(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const [, amount, unit = 's'] = /^([1-9]\d{0,7})([smhd])?$/.exec(text) ?? [];
  if (amount === undefined) throw new Usage(`--for "${text}" is not a time as 90s, 10m, 2h or 1d.`);
  return Number(amount) * (SECONDS[unit] ?? 1);
}

/** In the greatest unit that it holds twice, so that an hour and a half is 90m. */
export function spanText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  const [unit, size] = Object.entries(SECONDS).find(([, one]) => seconds >= 2 * one) ?? ['s', 1];
  return `${Math.round(seconds / size)}${unit}`;
}
