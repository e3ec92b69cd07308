/**
 * Probe of TCP: a connection, and where the check expects an answer, that answer. A bare connection does not see a program
 * that was stopped: the system accepts for it. Called by probe.ts.
 */
import type { ProbeResult } from '../../../domain/fact/health.ts';
import type { TcpChecker } from '../../../domain/load-balancer/checker.ts';
import type { Clock } from '../../../lib/clock.ts';
import { converse, type News } from './conversation.ts';
import { Expectation } from './expectation.ts';
import { announcement } from './proxy-local.ts';

export function probeTcp(address: string, checker: TcpChecker, clock: Clock): Promise<ProbeResult> {
  const { port, timeoutSeconds, send: say, expect, proxy } = checker;
  const preface = proxy && announcement(proxy);
  const talk = { address, port, timeoutMs: timeoutSeconds * 1_000, preface };
  // not: what is sent alone. Without an expected answer it proves nothing that the connection does not.
  if (expect === undefined) return converse(talk, clock);
  const expectation = new Expectation(expect);
  return converse({ ...talk, say, hear: (news) => judge(expectation, news, timeoutSeconds) }, clock);
}

function judge(expectation: Expectation, news: News, seconds: number): ProbeResult | undefined {
  const missed = (how: string): ProbeResult => ({ verdict: 'unhealthy', reason: `${how}: ${expectation.missed}` });
  if (news === 'closed') return missed('it closed the connection');
  if (news === 'late') return missed(`within ${seconds} s`);
  const heard = expectation.hear(news);
  if (heard === 'found') return { verdict: 'healthy', reason: expectation.found };
  return heard === 'enough' ? missed('it said too much') : undefined;
}
