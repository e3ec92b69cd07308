/** How many descriptors the process may have, and has. Where the system does not tell, it guesses or says so. Asked by the engines and the doctor. */
import { readFileSync, statSync } from 'node:fs';

/** limit: the number that macOS and old systems commonly grant; used where the system does not tell. */
const USUAL = 10_240;

export function descriptorLimit(): number {
  try {
    const match = /^Max open files\s+(\d+|unlimited)/m.exec(readFileSync('/proc/self/limits', 'latin1'));
    return match?.[1] === 'unlimited' ? Infinity : Number(match?.[1] ?? USUAL);
  } catch {
    return USUAL;
  }
}

/** Undefined where the system does not count them in the folder's size (before Linux 6.2). */
export function openDescriptors(): number | undefined {
  try {
    return statSync('/proc/self/fd').size || undefined;
  } catch {
    return undefined;
  }
}
