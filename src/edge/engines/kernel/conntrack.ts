/**
 * The kernel's table of connections, for those of ours: look through it, end some, hear of ends. Every call here is
 * answered at once by the kernel; how long a look takes grows with the table, so the callers decide how often.
 */
import { Netlink } from '../../../lib/ffi/netlink.ts';
import { parseAddress } from '../../../lib/net/address.ts';
import type { Listener } from '../../engine.ts';
import { originPort } from '../../flow/endpoints.ts';
import {
  type Brief,
  CT_DESTROY_GROUP,
  deleteFlow,
  type Flow,
  getFlows,
  IPPROTO_UDP,
  readBrief,
  readFlow,
  readMark,
} from './flows.ts';
import { isOurs, markOf, OURS, RULE_MASK } from './marks.ts';

export interface Conntrack {
  /** Connections of one rule, or of all. Looking also makes the kernel drop those whose time is up. */
  flows(index?: number): Flow[];
  /** All of them in brief; `whole` reads the rest of the one at hand. */
  scan(take: (brief: Brief, whole: () => Flow | undefined) => void): void;
  /**
   * Forgets UDP flows to the listener's places that came before it: the kernel would go on treating them as it did, that
   * is as nobody's, for as long as their clients send.
   */
  forget(listener: Listener): void;
  /** Forgets these connections; those that are gone already are no matter. */
  end(flows: readonly Flow[]): void;
  /** Hands over connections that ended since the last call. `lost`: there were more, of which nothing is known. */
  ended(take: (flow: Flow) => void): { readonly lost: boolean };
  close(): void;
}

/** limit: 8,000 connections that end within a tenth of a second, at about 1 KiB each in the socket's account; doubled by the system. */
const EVENTS_BYTES = 16 * 1024 * 1024;
/** limit: a call handles so many at most, that is 20 ms or so; the rest waits for the next. */
const MOST_EVENTS = 20_000;

export function openConntrack(): Conntrack {
  const asking = new Netlink();
  const hearing = new Netlink(CT_DESTROY_GROUP, EVENTS_BYTES);

  function look(mark: number, mask: number): Flow[] {
    const flows: Flow[] = [];
    asking.dump(getFlows(mark, mask), (view, body, end) => {
      const flow = readFlow(view, body, end);
      if (flow) flows.push(flow);
    });
    return flows;
  }

  function end(flows: readonly Flow[]): void {
    asking.request(flows.map((flow) => deleteFlow(flow, (address) => parseAddress(address) ?? new Uint8Array())));
  }

  return {
    flows: (index) => (index === undefined ? look(OURS, OURS) : look(markOf(index), RULE_MASK)),
    scan(take) {
      asking.dump(getFlows(OURS, OURS), (view, body, end) =>
        take(readBrief(view, body, end), () => readFlow(view, body, end)),
      );
    },
    forget({ entries, ports, originPorts }) {
      const nobodys = look(0, OURS);
      end(
        nobodys.filter(
          ({ protocol, original: { destination: to } }) =>
            protocol === IPPROTO_UDP &&
            entries.includes(to.address) &&
            originPort(ports, originPorts, to.port) !== undefined,
        ),
      );
    },
    end,
    ended(take) {
      return hearing.events((view, body, end) => {
        // Others have connections too, and most of what is heard is about them.
        if (!isOurs(readMark(view, body, end))) return;
        const flow = readFlow(view, body, end);
        if (flow) take(flow);
      }, MOST_EVENTS);
    },
    close() {
      asking.close();
      hearing.close();
    },
  };
}
