/**
 * How the origins of a load balancer are checked, or those of a group or a rule, and whether that makes sense. Pure. The
 * cloud's fields are kept as they were sent, because Describe must echo them (Terraform compares); one that the check's type
 * has no use for is kept as well. Called by change.ts, EdgeFourSetHealthCheck and the models. Source: spec section 8.1.
 */
import { type Fault, refuse } from '../../faults/fault.ts';
import { type Stamp, THIS_WRITE } from '../stamp.ts';

export const CHECK_TYPES = ['HTTP', 'HTTPS', 'TCP', 'UDP', 'ICMP Ping', 'NoCheck'] as const;
export const CHECK_METHODS = ['GET', 'HEAD'] as const;
export const CHECK_HEADERS = ['PPV1', 'PPV2'] as const;

export interface HealthChecker {
  readonly type: (typeof CHECK_TYPES)[number];
  readonly port?: number;
  /** Seconds between two checks. */
  readonly interval?: number;
  /** Seconds. */
  readonly timeout?: number;
  /** Successes in a row after which an origin is healthy. */
  readonly healthThreshold?: number;
  /** Failures in a row after which it is not. */
  readonly criticalThreshold?: number;
  /** HTTP and HTTPS: host and path, `www.example.com/test`. */
  readonly path?: string;
  readonly method?: (typeof CHECK_METHODS)[number];
  readonly expectedCodes?: readonly string[];
  readonly headers?: readonly { readonly key: string; readonly value: string }[];
  readonly followRedirect?: 'true' | 'false';
  /** UDP. */
  readonly sendContext?: string;
  readonly recvContext?: string;
  /** EdgeFour's own, for TCP: what is sent, and what a healthy origin answers. */
  readonly send?: string;
  readonly expect?: string;
  /** EdgeFour's own: the PROXY header that is said first. Absent: as the rule announces its clients. */
  readonly proxy?: (typeof CHECK_HEADERS)[number];
}

/** limit: spec sections 8.1 and 19. The interval's own default is published nowhere. */
export const CHECK_DEFAULTS = { interval: 30, timeout: 5, healthThreshold: 3, criticalThreshold: 2 } as const;
/** Lets the interval be as short as a second, and the time-out as long as the interval. */
export const FAST_CHECKS = 'fast-checks';

/** limit: 600 s is the cloud's; more than 100 checks in a row would take hours to say anything. */
const RANGES = {
  port: ['Port', 1, 65_535],
  timeout: ['Timeout', 1, 600],
  healthThreshold: ['HealthThreshold', 1, 100],
  criticalThreshold: ['CriticalThreshold', 1, 100],
} as const;

export const MOST_CONTEXT = 500;
export const MOST_HEADERS = 10;
const PRINTABLE = /^[\x20-\x7e]*$/;
/** Lines, too: Redis wants `PING\r\n`. */
const LINES = /^[\t\r\n\x20-\x7e]*$/;
const PATH = /^[^\s/:?#@]+(?::\d{1,5})?(?:[/?][\x21-\x7e]*)?$/;
const CODE = /^[1-5](?:\d\d|xx)$/;
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** The cloud's name of a field, and a line without its full stop. */
interface Wrong {
  readonly field: string;
  readonly why: string;
}

/** `where`: the parameter that it came in. */
export function checkerFault(
  checker: HealthChecker,
  features: readonly string[],
  where = 'HealthChecker',
): Fault<'InvalidParameterValue'> | undefined {
  if (checker.type === 'NoCheck') return undefined;
  const wrong =
    rangeFault(checker) ??
    timesFault(checker, features.includes(FAST_CHECKS)) ??
    textFault(checker) ??
    ownFault(checker);
  return wrong && refuse('InvalidParameterValue', `${where}.${wrong.field}: ${wrong.why}.`);
}

/**
 * The record, checked so from now on; undefined: it says nothing of its own. The very same one where nothing changes. Its
 * `changed` is new: edges have to apply it.
 */
export function withChecker<T extends { readonly checker?: HealthChecker; readonly changed: Stamp }>(
  record: T,
  checker: HealthChecker | undefined,
): T {
  const { checker: before, ...others } = record;
  if (JSON.stringify(before) === JSON.stringify(checker)) return record;
  return { ...others, ...(checker && { checker }), changed: THIS_WRITE } as T;
}

function rangeFault(checker: HealthChecker): Wrong | undefined {
  if (checker.type !== 'ICMP Ping' && checker.port === undefined) return wrong('Port', `${checker.type} needs one`);
  for (const field of Object.keys(RANGES) as (keyof typeof RANGES)[]) {
    const [name, least, most] = RANGES[field];
    const value = checker[field];
    if (value !== undefined && (value < least || value > most))
      return wrong(name, `${value} is not ${least} to ${most}`);
  }
  return undefined;
}

function timesFault(checker: HealthChecker, isFast: boolean): Wrong | undefined {
  const { interval = CHECK_DEFAULTS.interval } = checker;
  const { timeout = Math.min(CHECK_DEFAULTS.timeout, interval) } = checker;
  const least = isFast ? 1 : 10;
  if (interval < least || interval > 600) return wrong('Interval', `${interval} is not ${least} to 600 seconds`);
  if (timeout < interval || (isFast && timeout === interval)) return undefined;
  return wrong('Timeout', `${timeout} s is not below the Interval, ${interval} s`);
}

function textFault({ path, expectedCodes = [], headers = [], sendContext, recvContext }: HealthChecker) {
  if (path !== undefined && !PATH.test(path))
    return wrong('Path', `\`${path}\` is not a host and a path without a scheme, such as www.example.com/test`);
  const code = expectedCodes.find((one) => !CODE.test(one));
  if (code !== undefined) return wrong('ExpectedCodes', `\`${code}\` is no status code, such as 200 or 2xx`);
  const header = headers.find(({ key, value }) => !HEADER_NAME.test(key) || !PRINTABLE.test(value));
  if (header) return wrong('Headers', `\`${header.key}\` is no header that HTTP can send`);
  if (!PRINTABLE.test(sendContext ?? '')) return wrong('SendContext', 'only ASCII that can be printed');
  if (!PRINTABLE.test(recvContext ?? '')) return wrong('RecvContext', 'only ASCII that can be printed');
  return undefined;
}

/** Not of the cloud, so that nothing has to be echoed: a field that would do nothing is refused. */
function ownFault({ type, send, expect, proxy }: HealthChecker): Wrong | undefined {
  for (const [field, text] of Object.entries({ Send: send, Expect: expect })) {
    if (text !== undefined && type !== 'TCP')
      return wrong(field, `it is for TCP; UDP has SendContext and RecvContext, and this check is ${type}`);
    if (!LINES.test(text ?? '')) return wrong(field, 'only ASCII that can be printed, tabs and line breaks');
  }
  if (send !== undefined && expect === undefined)
    return wrong('Expect', 'what is sent proves nothing by itself; say what a healthy origin answers');
  if (proxy !== undefined && (type === 'UDP' || type === 'ICMP Ping'))
    return wrong('Proxy', `it is for checks over TCP, and this one is ${type}`);
  return undefined;
}

function wrong(field: string, why: string): Wrong {
  return { field, why };
}
