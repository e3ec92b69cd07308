/**
 * The kernel's table of connections, as far as they are this engine's: looks through it, ends some, hears of ends. The kernel
 * answers every call at once; how long a look takes grows with the table, so the callers decide how often. This is the door
 * of the folder, with drains.ts and idle-times.ts for what a change asks of connections that are open.
 */
import { IPPROTO_UDP } from '../../../linux/abi.ts';
import { type Heard, NetlinkEvents } from '../../../linux/netlink/events.ts';
import { Netlink } from '../../../linux/netlink/socket.ts';
import { parseAddress } from '../../../lib/net/address.ts';
import type { Listener } from '../../engine.ts';
import { originPort } from '../../flow/endpoints.ts';
import {
  type Brief,
  CT_DESTROY_GROUP,
  deleteFlow,
  type Flow,
  getFlows,
  getUnanswered,
  IPS,
  keepFlow,
  markFilter,
  readBrief,
  readFlow,
} from '../../../linux/netlink/conntrack.ts';
import { markOf, OURS, RULE_MASK } from '../table/marks.ts';

export interface Conntrack {
  /** Connections of one rule, by its indices, or of all. Looking also makes the kernel drop those whose time is up. */
  flows(indices?: Iterable<number>): Flow[];
  /** All connections in brief; `whole` reads the rest of the one at hand. */
  scan(take: (brief: Brief, whole: () => Flow | undefined) => void): void;
  /** Connections and sessions that their origin has not answered so far. */
  unanswered(take: (flow: Flow) => void): void;
  /**
   * Forgets UDP flows to the listeners' places that came before the listeners: the kernel would go on treating them as before,
   * that is as no rule's, for as long as their clients send.
   */
  forget(listeners: readonly Listener[]): void;
  /** Forgets these connections; those that are gone already are no matter. */
  end(flows: readonly Flow[]): void;
  /** The kernel forgets them so many seconds from now, if nothing comes; those that are gone already are no matter. */
  keep(flows: readonly { readonly flow: Flow; readonly seconds: number }[]): void;
  /** Whether ends are of interest. As long as they are, every connection of the machine costs a little more. */
  hear(isWanted: boolean): void;
  /** Hands over connections that ended since the last call, as far as they are told of. */
  ended(take: (flow: Flow) => void): Heard;
  close(): void;
}

/**
 * limit: 100,000 ends, at about 1 KiB each in the socket's account, which is twice of this. The kernel collects those whose time
 * is up once a minute or so, and tells of all of them within a tenth of a second.
 */
const EVENTS_BYTES = 64 * 1024 * 1024;
/** limit: a call handles so many at most, that is 50 ms or so; the rest waits for the next. */
const MOST_EVENTS = 20_000;

/** `eventsBytes`: for tests that want it to run over. */
export function openConntrack(eventsBytes = EVENTS_BYTES): Conntrack {
  const asking = new Netlink();
  let hearing: NetlinkEvents | undefined;
  /** Ends that came while something else was asked. */
  let heard: Flow[] = [];
  let hasLost = false;

  /**
   * limit: a look through a big table makes the kernel drop thousands whose time is up, faster than their ends fit the buffer;
   * so they are heard between its parts.
   */
  function hearOn(): void {
    if (hearing) hasLost = hearMore(hearing, MOST_EVENTS, (flow) => void heard.push(flow)).lost || hasLost;
  }

  function look(mark: number, mask: number): Flow[] {
    const flows: Flow[] = [];
    asking.dump(
      getFlows(mark, mask),
      (view, body, end) => {
        const flow = readFlow(view, body, end);
        if (flow) flows.push(flow);
      },
      hearOn,
    );
    return flows;
  }

  function end(flows: readonly Flow[]): void {
    asking.request(flows.map((flow) => deleteFlow(flow, bytesOf)));
  }

  return {
    flows: (indices) =>
      indices === undefined ? look(OURS, OURS) : [...indices].flatMap((index) => look(markOf(index), RULE_MASK)),
    scan(take) {
      asking.dump(
        getFlows(OURS, OURS),
        (view, body, end) => take(readBrief(view, body, end), () => readFlow(view, body, end)),
        hearOn,
      );
    },
    unanswered(take) {
      asking.dump(
        getUnanswered(OURS, OURS),
        (view, body, end) => {
          const flow = readFlow(view, body, end);
          if (flow && (flow.status & IPS.SEEN_REPLY) === 0) take(flow);
        },
        hearOn,
      );
    },
    forget(listeners) {
      const unmarked = look(0, OURS).filter(({ protocol }) => protocol === IPPROTO_UDP);
      const isTaken = ({ original: { destination: to } }: Flow): boolean =>
        listeners.some(
          ({ entries, ports, originPorts }) =>
            entries.includes(to.address) && originPort(ports, originPorts, to.port) !== undefined,
        );
      end(unmarked.filter(isTaken));
    },
    end,
    keep: (flows) => void asking.request(flows.map(({ flow, seconds }) => keepFlow(flow, seconds, bytesOf))),
    hear(isWanted) {
      if (isWanted) hearing ??= new NetlinkEvents(CT_DESTROY_GROUP, eventsBytes, markFilter(OURS));
      else {
        hearing?.close();
        hearing = undefined;
        heard = [];
      }
    },
    ended(take) {
      if (!hearing) return SILENCE;
      const before = heard;
      const lostBefore = hasLost;
      [heard, hasLost] = [[], false];
      before.forEach(take);
      const { isAll, lost } = hearMore(hearing, MOST_EVENTS - before.length, take);
      return { isAll, lost: lost || lostBefore };
    },
    close() {
      asking.close();
      hearing?.close();
    },
  };
}

const bytesOf = (address: string): Uint8Array => parseAddress(address) ?? new Uint8Array();

function hearMore(hearing: NetlinkEvents, most: number, take: (flow: Flow) => void): Heard {
  return hearing.take((view, body, end) => {
    const flow = readFlow(view, body, end);
    if (flow) take(flow);
  }, most);
}

const SILENCE: Heard = { isAll: true, lost: false };
