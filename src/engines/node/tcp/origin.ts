/**
 * An origin for one connection: dials the rule's targets one after the other until one answers, or says why none does. It
 * sends nothing, so that the next target can get all of it. Called by connection.ts.
 */
import type { Socket } from 'node:net';
import type { Clock } from '../../../lib/clock.ts';
import type { EndCause } from '../../../domain/fact/fact.ts';
import type { SourcePorts } from '../../flow/source-ports.ts';
import { mayTryNext } from '../../flow/verdict.ts';
import type { Endpoint } from '../../pass-through/pass-through.ts';
import { dial, type Dialled } from './dial.ts';
import type { RuleState } from '../rule-state.ts';

/** limit: how soon a dial is repeated that found no descriptor although the budget said yes. */
const RETRY_MS = 100;

export type Reached = { readonly origin: Endpoint; readonly socket: Socket } | { readonly failed: EndCause };

interface ReachDeps {
  readonly rule: RuleState;
  readonly clock: Clock;
  /** Undefined: the system chooses the ports that are dialled from. */
  readonly sources: SourcePorts | undefined;
}

/** Calls back once, unless cancelled. */
export function reachOrigin(
  client: string,
  entryPort: number,
  { rule, clock, sources }: ReachDeps,
  done: (reached: Reached) => void,
): { cancel(): void } {
  const { targets, counters } = rule;
  const tried = new Set<string>();
  let lastCause: EndCause | undefined;
  let retries = 0;
  let timeouts = 0;
  /** When the first dial began, or the last one timed out. */
  let since = clock.monotonic();
  /** The dial, or the wait for another one, that is under way. */
  let current: { cancel(): void } | undefined;
  next();

  function next(): void {
    const timeoutMs = rule.listener.options.connectTimeoutMs;
    const port = targets.originPort(entryPort);
    if (port === undefined) return done({ failed: lastCause ?? 'no-origin' });
    const mayTry = mayTryNext(timeouts, clock.monotonic() - since, timeoutMs);
    const target = mayTry ? targets.choose(client, port, tried) : undefined;
    if (!target) return done({ failed: lastCause ?? targets.whyNone });
    const origin = { address: target.address, port };
    current = dial(origin, timeoutMs, { clock, sources, counters }, (result) => dialled(origin, result));
  }

  function dialled(origin: Endpoint, result: Dialled): void {
    if ('socket' in result) {
      rule.tell(origin.address, 'ok');
      return done({ origin, socket: result.socket });
    }
    if (result.failed === 'no-descriptor') return retry();
    tried.add(origin.address);
    rule.tell(origin.address, result.failed);
    if (result.failed !== 'no-source-port') targets.settle(client, undefined);
    lastCause = result.failed;
    if (result.failed === 'origin-timeout') {
      timeouts++;
      since = clock.monotonic();
    }
    next();
  }

  /** It was not the origin's fault. */
  function retry(): void {
    if (++retries * RETRY_MS > rule.listener.options.connectTimeoutMs) return done({ failed: 'limit' });
    current = clock.after(RETRY_MS, next);
  }

  return { cancel: () => current?.cancel() };
}
