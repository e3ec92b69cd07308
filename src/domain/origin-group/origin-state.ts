/**
 * An operator's word about an origin: out of use for maintenance, or in use whatever checks and traffic say. It holds for each
 * rule of the zone that leads to the host, by itself or through a group. Pure. Called by api/actions/edgefour and by plan/.
 */
import type { Ending } from '../until.ts';
import { sameHostText } from './host.ts';

export const SET_STATES = ['down', 'up'] as const;

/** Record key: `origin-state/<zone>/<host>`. */
export interface SetOriginState extends Ending {
  /** An address or a domain name, as rules and groups name it. */
  readonly host: string;
  readonly state: (typeof SET_STATES)[number];
}

/** limit: of one zone; more origins than that are taken out of groups. */
export const MOST_SET_STATES = 1_000;

/** Equal for the spellings of one host. */
export function hostKey(host: string): string {
  return sameHostText(host).toLowerCase().replace(/\.$/, '');
}
