/**
 * What rules share by having the same settings: how long the system keeps a silent connection, and of which connections
 * it tells the end. A chain per distinct settings, named after them; `leave` and `stay` jump there. Pure.
 */
import { hex } from '../../../linux/nft/nf-tables.ts';
import type { Listener } from '../../engine.ts';
import { RULE_MASK, TOLD } from './marks.ts';
import { TABLE } from './sets.ts';

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
/** limit: SYN retries within it (1, 3, 7, 15, 31 s) belong to one connection. */
const OPENING_SECONDS = 60;

/** Whole seconds are what conntrack knows. */
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

/** `undefined`: none, or written by another edition. */
export function settingsNamed(name: string): Settings | undefined {
  const [, protocol, idle, oneIn, edition] = NAME.exec(name) ?? [];
  if (Number(edition) !== EDITION) return undefined;
  return { protocol: protocol === 'udp' ? 'UDP' : 'TCP', idleSeconds: Number(idle), recordOneIn: Number(oneIn) };
}

export function addSettings(settings: Settings): string[] {
  const name = settingsName(settings);
  const policy = policyOf(settings);
  return [
    ...L3.map(
      (l3) =>
        `add ct timeout ${TABLE} ${name}-${l3} { protocol ${settings.protocol.toLowerCase()}; l3proto ${l3}; policy = { ${policy} }; }`,
    ),
    `add chain ${TABLE} ${name}`,
    `flush chain ${TABLE} ${name}`,
    `add rule ${TABLE} ${name} meta nfproto ipv4 ct timeout set "${name}-ip"`,
    `add rule ${TABLE} ${name} meta nfproto ipv6 ct timeout set "${name}-ip6"`,
    ...eventLines(settings.recordOneIn).map((line) => `add rule ${TABLE} ${name} ${line}`),
  ];
}

export function deleteSettings(name: string): string[] {
  return [`delete chain ${TABLE} ${name}`, ...L3.map((l3) => `delete ct timeout ${TABLE} ${name}-${l3}`)];
}

const L3 = ['ip', 'ip6'] as const;

function policyOf({ protocol, idleSeconds }: Settings): string {
  const policy =
    protocol === 'UDP'
      ? { unreplied: idleSeconds, replied: idleSeconds }
      : {
          syn_sent: OPENING_SECONDS,
          syn_recv: OPENING_SECONDS,
          established: idleSeconds,
          // A half-closed connection is as good as an open one.
          fin_wait: idleSeconds,
          close_wait: idleSeconds,
          ...CLOSED_SECONDS,
        };
  return Object.entries(policy)
    .map(([state, seconds]) => `${state}: ${seconds}`)
    .join(', ');
}

/**
 * Nothing costs a connection more than being told of, so nobody is told of one that is not in the sample. Those that are
 * carry it in their mark, and are counted: what was told of and is neither alive nor heard of is lost.
 */
function eventLines(recordOneIn: number): string[] {
  const tell = `ct mark & ${hex(RULE_MASK)} @told ct mark set ct mark | ${hex(TOLD)} ct event set destroy`;
  if (recordOneIn === 1) return [tell];
  const sample = `numgen inc mod ${recordOneIn} == 0 ${tell}`;
  return recordOneIn === 0 ? ['ct event set 0x0'] : ['ct event set 0x0', sample];
}
