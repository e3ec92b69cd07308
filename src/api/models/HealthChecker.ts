/** The cloud's HealthChecker: how the origins of a load balancer are checked. */
import {
  CHECK_DEFAULTS,
  CHECK_METHODS,
  CHECK_TYPES,
  type HealthChecker,
  MOST_CONTEXT,
  MOST_HEADERS,
} from '../../domain/load-balancer/health-checker.ts';
import { type Infer, list, object, oneOf, optional, string, unsigned } from '../../shape/shape.ts';
import type { Defaults } from '../handling/transaction.ts';

const HEADER = object({ Key: string('Name.', { max: 256 }), Value: string('Value.', { max: 1024 }) }, 'A header.');

export const HEALTH_CHECKER = object(
  {
    Type: oneOf(CHECK_TYPES, 'How origins are checked; NoCheck: they are not.'),
    Port: optional(unsigned('Port; needed but for ICMP Ping.')),
    Interval: optional(unsigned('Seconds between two checks, 10 to 600 (from 1 with fast-checks); default 30.')),
    Timeout: optional(unsigned('Seconds, below Interval; default 5.')),
    HealthThreshold: optional(unsigned('Successes in a row until an origin is healthy; default 3.')),
    CriticalThreshold: optional(unsigned('Failures in a row until it is not; default 2.')),
    Path: optional(string('HTTP, HTTPS: host and path without a scheme: www.example.com/test.', { max: 2048 })),
    Method: optional(oneOf(CHECK_METHODS, 'HTTP, HTTPS: method; default GET.', { emptyIsAbsent: true })),
    ExpectedCodes: optional(
      list(string('A status code (200) or a class (2xx).'), 'HTTP, HTTPS: codes of a healthy origin.', { max: 20 }),
    ),
    Headers: optional(list(HEADER, 'HTTP, HTTPS: headers of the request.', { max: MOST_HEADERS })),
    FollowRedirect: optional(
      oneOf(['true', 'false'], 'HTTP, HTTPS: whether 301 and 302 are followed, and healthy.', { emptyIsAbsent: true }),
    ),
    SendContext: optional(string('UDP: what is sent, ASCII.', { max: MOST_CONTEXT })),
    RecvContext: optional(string('UDP: what a healthy origin answers, ASCII.', { max: MOST_CONTEXT })),
  },
  'A health check; each edge that serves the origins, or one of its site for it, runs it.',
);
type Wire = Infer<typeof HEALTH_CHECKER.fields>;

/** wire: typed clients send 0, "" and [] for absent. */
export function readChecker(sent: Wire): HealthChecker {
  return {
    type: sent.Type,
    ...(sent.Port && { port: sent.Port }),
    ...(sent.Interval && { interval: sent.Interval }),
    ...(sent.Timeout && { timeout: sent.Timeout }),
    ...(sent.HealthThreshold && { healthThreshold: sent.HealthThreshold }),
    ...(sent.CriticalThreshold && { criticalThreshold: sent.CriticalThreshold }),
    ...(sent.Path && { path: sent.Path }),
    ...(sent.Method && { method: sent.Method }),
    ...(sent.ExpectedCodes?.length && { expectedCodes: sent.ExpectedCodes }),
    ...(sent.Headers?.length && { headers: sent.Headers.map(({ Key, Value }) => ({ key: Key, value: Value })) }),
    ...(sent.FollowRedirect && { followRedirect: sent.FollowRedirect }),
    ...(sent.SendContext && { sendContext: sent.SendContext }),
    ...(sent.RecvContext && { recvContext: sent.RecvContext }),
  };
}

/** wire: without a check, or with NoCheck, every other field is zero. Terraform gets what was sent, and nothing for nothing. */
export function showChecker(checker: HealthChecker | undefined, defaults: Defaults): Wire | undefined {
  if (defaults === 'as-sent') return checker && asSent(checker);
  const zero = {
    Type: 'NoCheck' as const,
    Port: 0,
    Interval: 0,
    Timeout: 0,
    HealthThreshold: 0,
    CriticalThreshold: 0,
    Path: '',
    ExpectedCodes: [],
    Headers: [],
    SendContext: '',
    RecvContext: '',
  };
  if (!checker || checker.type === 'NoCheck') return zero;
  const { interval, timeout, healthThreshold, criticalThreshold } = CHECK_DEFAULTS;
  const times = {
    Interval: interval,
    Timeout: Math.min(timeout, checker.interval ?? interval),
    HealthThreshold: healthThreshold,
    CriticalThreshold: criticalThreshold,
  };
  const isHttp = checker.type === 'HTTP' || checker.type === 'HTTPS';
  const http = isHttp ? { Method: 'GET' as const, FollowRedirect: 'false' as const } : {};
  return { ...zero, ...times, ...http, ...asSent(checker) };
}

/** What was sent, and nothing else. */
export function asSent(checker: HealthChecker): Wire {
  const { port, interval, timeout, healthThreshold, criticalThreshold } = checker;
  const { path, method, expectedCodes, headers, followRedirect, sendContext, recvContext } = checker;
  return {
    Type: checker.type,
    ...(port && { Port: port }),
    ...(interval && { Interval: interval }),
    ...(timeout && { Timeout: timeout }),
    ...(healthThreshold && { HealthThreshold: healthThreshold }),
    ...(criticalThreshold && { CriticalThreshold: criticalThreshold }),
    ...(path && { Path: path }),
    ...(method && { Method: method }),
    ...(expectedCodes && { ExpectedCodes: [...expectedCodes] }),
    ...(headers && { Headers: headers.map(({ key, value }) => ({ Key: key, Value: value })) }),
    ...(followRedirect && { FollowRedirect: followRedirect }),
    ...(sendContext && { SendContext: sendContext }),
    ...(recvContext && { RecvContext: recvContext }),
  };
}
