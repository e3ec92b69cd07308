/**
 * How the origins of a load balancer are checked, and whether that makes sense. Pure. Fields are kept as they were sent,
 * because Describe must echo them (Terraform compares); a field that the check's type has no use for is kept as well.
 * Called by change.ts and by the model. Source: spec section 8.1.
 */
import { type Fault, refuse } from '../../faults/fault.ts';

export const CHECK_TYPES = ['HTTP', 'HTTPS', 'TCP', 'UDP', 'ICMP Ping', 'NoCheck'] as const;
export const CHECK_METHODS = ['GET', 'HEAD'] as const;

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
  readonly proxy?: 'PPV1' | 'PPV2';
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
const PATH = /^[^\s/:?#@]+(?::\d{1,5})?(?:[/?][\x21-\x7e]*)?$/;
const CODE = /^[1-5](?:\d\d|xx)$/;
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

type Wrong = Fault<'InvalidParameterValue'>;

export function checkerFault(checker: HealthChecker, features: readonly string[]): Wrong | undefined {
  if (checker.type === 'NoCheck') return undefined;
  return rangeFault(checker) ?? timesFault(checker, features.includes(FAST_CHECKS)) ?? textFault(checker);
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

function wrong(field: string, why: string): Wrong {
  return refuse('InvalidParameterValue', `HealthChecker.${field}: ${why}.`);
}
