/**
 * The chain of the table that gives connections the settings of their rule: time-outs, and whether their end is told. Rules
 * with the same settings share it; the chains `leave` and `stay` of base.ts jump there. Pure; called by table.ts.
 */
import { hex } from '../../../linux/nft/nf-tables.ts';
import { RULE_MASK, TOLD } from './marks.ts';
import { CLOSED_SECONDS, type Settings, settingsName } from './settings.ts';
import { TABLE } from './sets.ts';

/** limit: SYN retries within it (1, 3, 7, 15, 31 s) belong to one connection. */
const OPENING_SECONDS = 60;

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
 * Telling of its end costs a connection more than anything else, so the kernel tells only of those in the sample. These carry
 * it in their mark, and are counted: one whose end is told, and that is neither alive nor heard of, is lost.
 */
function eventLines(recordOneIn: number): string[] {
  const tell = `ct mark & ${hex(RULE_MASK)} @told ct mark set ct mark | ${hex(TOLD)} ct event set destroy`;
  if (recordOneIn === 1) return [tell];
  const sample = `numgen inc mod ${recordOneIn} == 0 ${tell}`;
  return recordOneIn === 0 ? ['ct event set 0x0'] : ['ct event set 0x0', sample];
}
