/**
 * Connection records and end causes, made of what conntrack tells of connections. Bytes are what the kernel counts: of UDP
 * the payload, of TCP whole IP packets, because the kernel does not keep the size of each segment's header. Pure but for its
 * arguments. The monitor calls it with every connection that it sees live or end.
 */
import { IPPROTO_UDP } from '../../../linux/abi.ts';
import type { ConnectionRecord, EndCause } from '../../../domain/fact/fact.ts';
import { RECORD_EVERY_MS } from '../../flow/behaviour.ts';
import { confirmEnds, countEnd, type RuleAccount, takeBackEnds } from './balance.ts';
import { CLOSED_SECONDS } from '../table/settings.ts';
import { type Flow, IPS, TCP_STATE } from '../../../linux/netlink/conntrack.ts';
import { ENDINGS, endingOf, indexOf, isOver, isTold } from '../table/marks.ts';

/** What a record needs of a rule. */
interface RecordedRule {
  readonly id: string;
  readonly proxy: string;
  readonly account: RuleAccount;
}

interface RecorderDeps {
  /** Wall clock, milliseconds. */
  now(): number;
  uuid(): string;
  /** Writes them so that they outlive the process, all or none; gives why it wrote none. */
  write(records: readonly ConnectionRecord[]): string | undefined;
  /** Called for each record that is written. */
  record(record: ConnectionRecord): void;
  failed(reason: string, records: number): void;
  at(index: number): RecordedRule | undefined;
}

export interface Recorder {
  /** The engine is about to end this connection, and why. */
  ending(flow: Flow, cause: EndCause): void;
  /** The connection is gone; gives the cause that it carries itself, unless `seenAs` is given. */
  ended(flow: Flow, seenAs?: EndCause): EndCause | undefined;
  /** The connection was seen alive: writes the minute's record where one is due. */
  alive(flow: Flow): void;
  /** Writes what came since the last call. order: before a balance. */
  settle(): void;
  /** Called now and then: forgets connections whose end can't come any more. */
  sweep(): void;
}

/** limit: the end that the engine itself makes is heard of at once, or never. */
const FORGET_MS = 60_000;

/** What the records of a connection have told so far. */
interface Told {
  readonly id: string;
  at: number;
  bytesIn: number;
  bytesOut: number;
}

export function createRecorder(deps: RecorderDeps): Recorder {
  /** Connections of which a minute's record is written, by conntrack id. */
  const told = new Map<number, Told>();
  const causes = new Map<number, { readonly cause: EndCause; readonly at: number }>();
  let waiting: ConnectionRecord[] = [];
  /** Of ends that are counted and whose record waits. */
  const closing = new Set<RuleAccount>();

  function write(flow: Flow, rule: RecordedRule, at: number, end?: EndCause): Told {
    const before = told.get(flow.id);
    const { bytesIn, bytesOut } = payload(flow);
    const next = { id: before?.id ?? deps.uuid(), at, bytesIn, bytesOut };
    waiting.push({
      id: next.id,
      rule: rule.id,
      proxy: rule.proxy,
      protocol: flow.protocol === IPPROTO_UDP ? 'UDP' : 'TCP',
      client: flow.original.source,
      entry: flow.original.destination,
      ...(flow.status & IPS.SEEN_REPLY && { origin: flow.reply.source }),
      startedAt: flow.startedAt ?? at,
      at,
      bytesIn: bytesIn - (before?.bytesIn ?? 0),
      bytesOut: bytesOut - (before?.bytesOut ?? 0),
      ...(end && { end }),
    });
    return next;
  }

  return {
    ending: (flow, cause) => void causes.set(flow.id, { cause, at: deps.now() }),
    ended(flow, seenAs) {
      const rule = deps.at(indexOf(flow.mark));
      const ours = causes.get(flow.id)?.cause ?? seenAs;
      causes.delete(flow.id);
      if (!rule) return undefined;
      const cause = ours ?? causeOf(flow);
      const { account } = rule;
      const { counted } = account;
      counted.ends[cause] = (counted.ends[cause] ?? 0) + 1;
      if (flow.protocol === IPPROTO_UDP && !(flow.status & IPS.SEEN_REPLY))
        counted.unanswered = (counted.unanswered ?? 0) + 1;
      write(flow, rule, ours ? deps.now() : endOf(flow, deps.now()), cause);
      told.delete(flow.id);
      if (isTold(flow.mark)) {
        countEnd(account);
        closing.add(account);
      }
      return cause;
    },
    alive(flow) {
      const rule = deps.at(indexOf(flow.mark));
      if (!rule || !isTold(flow.mark) || flow.startedAt === undefined || isOver(flow)) return;
      const now = deps.now();
      if (now - (told.get(flow.id)?.at ?? flow.startedAt) < RECORD_EVERY_MS) return;
      told.set(flow.id, write(flow, rule, now));
    },
    settle() {
      if (waiting.length === 0) return;
      const records = waiting;
      waiting = [];
      const problem = deps.write(records);
      for (const account of closing) (problem === undefined ? confirmEnds : takeBackEnds)(account);
      closing.clear();
      if (problem === undefined) for (const record of records) deps.record(record);
      else deps.failed(problem, records.length);
    },
    sweep() {
      const now = deps.now();
      for (const [id, { at }] of causes) if (now - at > FORGET_MS) causes.delete(id);
      // A live connection is told every minute. After three without a record it is gone, and its end was lost.
      for (const [id, { at }] of told) if (now - at > 3 * RECORD_EVERY_MS) told.delete(id);
    },
  };
}

function causeOf({ protocol, mark, state, status, packetsOut }: Flow): EndCause {
  if (protocol === IPPROTO_UDP) return 'idle';
  switch (endingOf(mark)) {
    case ENDINGS.clientFin:
      return 'client-closed';
    case ENDINGS.originFin:
      return 'origin-closed';
    case ENDINGS.clientReset:
      return 'client-reset';
    case ENDINGS.originReset:
      return status & IPS.ASSURED ? 'origin-reset' : 'origin-refused';
    case ENDINGS.none:
      if (state === TCP_STATE.synSent) return 'origin-timeout';
      // A first answer that is a reset makes the kernel forget the connection before the table sees the packet.
      return state === TCP_STATE.close && !(status & IPS.SEEN_REPLY) && packetsOut > 0 ? 'origin-refused' : 'idle';
  }
}

/** When the last packet passed: the kernel tells when it forgot the connection. */
function endOf({ endedAt, startedAt, state }: Flow, now: number): number {
  const remembered: Readonly<Record<number, number>> = {
    [TCP_STATE.timeWait]: CLOSED_SECONDS.time_wait,
    [TCP_STATE.lastAck]: CLOSED_SECONDS.last_ack,
    [TCP_STATE.close]: CLOSED_SECONDS.close,
  };
  const at = (endedAt ?? now) - (remembered[state] ?? 0) * 1000;
  return Math.min(now, Math.max(at, startedAt ?? at));
}

const UDP_HEADERS = { 4: 28, 6: 48 } as const;

/** See the head of this file. */
function payload(flow: Flow): { readonly bytesIn: number; readonly bytesOut: number } {
  if (flow.protocol !== IPPROTO_UDP) return flow;
  const headers = UDP_HEADERS[flow.family];
  return {
    bytesIn: Math.max(0, flow.bytesIn - flow.packetsIn * headers),
    bytesOut: Math.max(0, flow.bytesOut - flow.packetsOut * headers),
  };
}
