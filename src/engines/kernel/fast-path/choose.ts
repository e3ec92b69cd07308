/** Whether an engine has the fast path, and why not; and what conntrack tells, with what was carried past it. */
import type { EngineEvents } from '../../engine.ts';
import type { Conntrack } from '../conntrack/conntrack.ts';
import type { Flow } from '../../../linux/netlink/conntrack.ts';
import { LIBERAL, type Sysctls } from '../sysctl.ts';
import { type FastPath, NO_FAST_PATH } from './fast-path.ts';
import { FAST_FROM } from './layout.ts';

export interface FastPathDeps {
  /** The operator wants it. */
  readonly isWanted: boolean;
  /** The engine may set what it needs. */
  readonly isAsked: boolean;
  readonly sysctls: Sysctls;
  /** Throws with a reason. */
  readonly open: () => FastPath;
  readonly log: EngineEvents['log'];
}

/** `note`: for an operator who would expect it. */
export function chooseFastPath({ isWanted, isAsked, sysctls, open, log }: FastPathDeps): {
  readonly fast: FastPath;
  readonly note?: string;
} {
  if (!isWanted) return { fast: NO_FAST_PATH };
  const refused = (why: string) => ({ fast: NO_FAST_PATH, note: `without the fast path: ${why}` });
  const { name, why } = LIBERAL;
  if (sysctls.read(name) !== '1') {
    if (!isAsked) return refused(`sysctl ${name} is not 1`);
    const problem = sysctls.set(name, '1');
    if (problem !== undefined) return refused(`sysctl ${name} cannot be set: ${problem}`);
    log('info', `${name} is now 1: ${why}`);
  }
  try {
    return { fast: open() };
  } catch (error) {
    return refused((error as Error).message);
  }
}

/** `fast`: the one that there is now. */
export function besideFastPath(conntrack: Conntrack, fast: () => FastPath): Conntrack {
  const hasFast = ({ packetsIn, packetsOut }: Flow): boolean => packetsIn + packetsOut >= FAST_FROM;
  const whole = (flow: Flow, isOver: boolean): Flow => (hasFast(flow) ? fast().add(flow, isOver) : flow);
  return {
    ...conntrack,
    scan(take) {
      conntrack.scan((brief, read) =>
        take(brief, () => {
          const flow = read();
          return flow && whole(flow, false);
        }),
      );
    },
    end(flows) {
      conntrack.end(flows);
      if (flows.length > 0) fast().forget();
    },
    ended: (take) => conntrack.ended((flow) => take(whole(flow, true))),
  };
}
