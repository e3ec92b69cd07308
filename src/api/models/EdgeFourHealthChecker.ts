/** A health check as EdgeFour's own actions take and show it: the cloud's HealthChecker, and what the cloud has no field for. */
import { CHECK_HEADERS, type HealthChecker, MOST_CONTEXT } from '../../domain/load-balancer/health-checker.ts';
import { type Infer, object, oneOf, optional, string } from '../../shape/shape.ts';
import { asSent, HEALTH_CHECKER, readChecker } from './HealthChecker.ts';

export const OWN_HEALTH_CHECKER = object(
  {
    ...HEALTH_CHECKER.fields,
    Send: optional(
      string('TCP: what is sent once the connection is made, ASCII with line breaks; with Expect.', {
        max: MOST_CONTEXT,
      }),
    ),
    Expect: optional(
      string(
        'TCP: what the answer of a healthy origin contains; without it a connection is enough, which a program that hangs grants too.',
        { max: MOST_CONTEXT },
      ),
    ),
    Proxy: optional(
      oneOf(
        CHECK_HEADERS,
        'TCP, HTTP, HTTPS: the PROXY header that is sent first and names no client; default: as the rule announces its clients.',
        { emptyIsAbsent: true },
      ),
    ),
  },
  'A health check.',
);
type Wire = Infer<typeof OWN_HEALTH_CHECKER.fields>;

export function readOwnChecker({ Send, Expect, Proxy, ...cloud }: Wire): HealthChecker {
  return {
    ...readChecker(cloud),
    ...(Send && { send: Send }),
    ...(Expect && { expect: Expect }),
    ...(Proxy && { proxy: Proxy }),
  };
}

export function showOwnChecker(checker: HealthChecker): Wire {
  const { send, expect, proxy } = checker;
  return {
    ...asSent(checker),
    ...(send && { Send: send }),
    ...(expect && { Expect: expect }),
    ...(proxy && { Proxy: proxy }),
  };
}
