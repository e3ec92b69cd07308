/**
 * Bars on a rule's targets: policy refuses an address, under any name, or the address is a listener of this edge.
 * A barred target is never dialled and stays in the list with weight 0, so that engines know what to say. Pure; called by
 * origins.ts.
 */
import { type EgressRule, readHost } from '../../lib/net/egress.ts';
import { formatPortSpan } from '../../lib/net/ports.ts';
import type { Bar, Listener, Target } from '../../engines/engine.ts';
import type { Loops } from './loops.ts';

interface Barred {
  readonly targets: readonly Target[];
  /** Which targets are barred, and why, for an operator. */
  readonly notes: readonly string[];
}

/** limit: a line of status is read by a person. */
const MOST_NOTES = 3;

/** `whole`: the engine can't tell the ports of a target apart; one port that loops bars them all. */
export function barTargets(listener: Listener, egress: EgressRule, loops: Loops, whole: boolean): Barred {
  const notes: string[] = [];
  const targets = listener.targets.map((target) => {
    if (target.left) return target;
    const bar = barOf(listener, target.address, egress, loops, whole);
    if (!bar) return target;
    notes.push(noteOf(target.address, bar, listener));
    return { ...target, barred: bar, ...(bar.ports === undefined && { weight: 0 }) };
  });
  const more = notes.length - MOST_NOTES;
  return { targets, notes: more > 0 ? [...notes.slice(0, MOST_NOTES), `and ${more} more`] : notes };
}

function barOf(listener: Listener, address: string, egress: EgressRule, loops: Loops, whole: boolean): Bar | undefined {
  const host = readHost(address);
  // One with a zone, from another version's record or from the host: engines can't dial it, and need not.
  if (host.kind !== 'address' || !host.isPlain || egress(host.bytes) !== undefined) return { cause: 'denied' };
  const ports = loops.portsThatLoop(listener, address);
  if (ports.length === 0) return undefined;
  const [first] = ports;
  const { from, to } = listener.originPorts;
  return whole || (first?.from === from && first.to === to) ? { cause: 'loop' } : { cause: 'loop', ports };
}

function noteOf(address: string, { cause, ports }: Bar, { originPorts, protocol }: Listener): string {
  if (cause === 'denied') return `denied: ${address} is not dialled (EDGEFOUR_ORIGINS_DENY, or no host's address)`;
  const where = (ports ?? [originPorts]).map(formatPortSpan).join(',');
  const host = address.includes(':') ? `[${address}]` : address;
  return `loop: ${protocol} ${host}:${where} is a listener of this edge and is not dialled`;
}
