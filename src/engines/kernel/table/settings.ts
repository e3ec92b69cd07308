/**
 * What rules share by having the same settings: how long the system keeps a silent connection, and of which connections it
 * tells the end. Each distinct settings have a name, which their chain in the table bears (settings-chains.ts). Pure.
 */
import type { Listener } from '../../engine.ts';

export interface Settings {
  readonly protocol: Listener['protocol'];
  readonly idleSeconds: number;
  readonly recordOneIn: number;
}

/**
 * limit: seconds that a TCP connection is remembered after its end, for segments that are still on their way. A source port
 * towards an origin is free again after them, so 60,000 ports over 2 s are 30,000 connections a second; the system's own
 * 120 s would be 500, and tell of each two minutes late. A segment that comes later yet is answered with a reset.
 */
export const CLOSED_SECONDS = { time_wait: 2, last_ack: 5, close: 1 } as const;

/** In whole seconds, because conntrack knows no others. */
export function settingsOf({ protocol, options }: Listener): Settings {
  const idleSeconds = Math.max(1, Math.ceil(options.idleSeconds));
  return { protocol, idleSeconds, recordOneIn: Math.floor(options.recordOneIn) };
}

/** order: raise it with any change of what is written here; what is in use in the kernel under a name stays as it is. */
const EDITION = 2;

export function settingsName({ protocol, idleSeconds, recordOneIn }: Settings): string {
  return `${protocol.toLowerCase()}-${idleSeconds}-${recordOneIn}-v${EDITION}`;
}

const NAME = /^(tcp|udp)-(\d+)-(\d+)-v(\d+)$/;

/** `undefined`: the name is none of settings, or another edition wrote the chain. */
export function settingsNamed(name: string): Settings | undefined {
  const [, protocol, idle, oneIn, edition] = NAME.exec(name) ?? [];
  if (Number(edition) !== EDITION) return undefined;
  return { protocol: protocol === 'udp' ? 'UDP' : 'TCP', idleSeconds: Number(idle), recordOneIn: Number(oneIn) };
}
