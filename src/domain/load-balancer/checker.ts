/**
 * How origins are checked: the cloud's HealthChecker, with what EdgeFour adds (`send` and `expect` for TCP, `proxy`). A check
 * need not follow the protocol of the rule whose origins it looks at. What the API takes is checked in health-checker.ts; the
 * plan makes checkers of it.
 */
import { CHECK_DEFAULTS, type HealthChecker } from './health-checker.ts';

interface CheckTimes {
  readonly intervalSeconds: number;
  readonly timeoutSeconds: number;
  /** Good results in a row that make an ill origin well; the cloud's HealthThreshold. */
  readonly rise: number;
  /** Bad ones that make it ill; CriticalThreshold. */
  readonly fall: number;
}

/** Said before all else where the origins expect to be told of a client: that there is none. */
type Announced = { readonly proxy?: 'PPV1' | 'PPV2' | undefined };

export interface TcpChecker extends CheckTimes, Announced {
  readonly type: 'TCP';
  readonly port: number;
  /** Absent: a connection is enough, which a program that was stopped grants too. */
  readonly send?: string | undefined;
  readonly expect?: string | undefined;
}

export interface UdpChecker extends CheckTimes {
  readonly type: 'UDP';
  readonly port: number;
  readonly send: string;
  /** Absent: any answer is good, and none says nothing. */
  readonly expect?: string | undefined;
}

export interface HttpChecker extends CheckTimes, Announced {
  readonly type: 'HTTP' | 'HTTPS';
  readonly port: number;
  readonly method: 'GET' | 'HEAD';
  /** Host and path, as `www.example.com/test`. */
  readonly path: string;
  /** `200`, or a class as `2xx`. */
  readonly codes: readonly string[];
  readonly headers: readonly { readonly key: string; readonly value: string }[];
  readonly followsRedirects: boolean;
}

export interface PingChecker extends CheckTimes {
  readonly type: 'ICMP Ping';
}

export type Checker = TcpChecker | UdpChecker | HttpChecker | PingChecker;

/** A rule, a balancer or a group that may have a checker of its own. */
export interface Asking {
  readonly owner: string;
  readonly checker: HealthChecker | undefined;
}

/** Whose checker counts, of the rule, its balancer and the group: the first one that has one. `NoCheck` is one as well. */
export function firstAsking(asking: readonly Asking[]): Asking | undefined {
  return asking.find(({ checker }) => checker !== undefined);
}

/** With all defaults; undefined: origins are not checked. `announced`: how the rule tells origins of its clients, if it does. */
export function checkerOf(wish: HealthChecker | undefined, announced?: 'PPV1' | 'PPV2'): Checker | undefined {
  if (!wish || wish.type === 'NoCheck') return undefined;
  const { type, interval = CHECK_DEFAULTS.interval, port = 0 } = wish;
  const times = {
    intervalSeconds: interval,
    timeoutSeconds: wish.timeout ?? Math.min(CHECK_DEFAULTS.timeout, interval),
    rise: wish.healthThreshold ?? CHECK_DEFAULTS.healthThreshold,
    fall: wish.criticalThreshold ?? CHECK_DEFAULTS.criticalThreshold,
  };
  const proxy = wish.proxy ?? announced;
  switch (type) {
    case 'TCP':
      return { type, port, send: wish.send, expect: wish.expect, proxy, ...times };
    case 'UDP':
      return { type, port, send: wish.sendContext ?? '', expect: wish.recvContext, ...times };
    case 'ICMP Ping':
      return { type, ...times };
    default: {
      const { path = '', method = 'GET', expectedCodes = [], headers = [], followRedirect } = wish;
      const request = { path, method, headers, codes: expectedCodes, followsRedirects: followRedirect === 'true' };
      return { type, port, ...request, proxy, ...times };
    }
  }
}
