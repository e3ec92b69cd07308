/**
 * Probe of UDP: one datagram, and the answers to it on a connected socket, where the system tells of an unreachable port.
 * Silence says nothing where no answer is expected: a program that hears and keeps quiet looks like a machine that is
 * gone, and the system sends few messages about ports. Called by probe.ts.
 */
import { createSocket } from 'node:dgram';
import type { ProbeResult } from '../../../domain/fact/health.ts';
import type { UdpChecker } from '../../../domain/load-balancer/checker.ts';
import type { Clock } from '../../../lib/clock.ts';
import { failure, timeOut } from './conversation.ts';
import { Expectation } from './expectation.ts';

export function probeUdp(address: string, checker: UdpChecker, clock: Clock): Promise<ProbeResult> {
  const { port, timeoutSeconds, send, expect } = checker;
  const expectation = expect === undefined ? undefined : new Expectation(expect);
  return new Promise((resolve) => {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    const timer = timeOut(clock, timeoutSeconds * 1_000, () => finish(silence(expectation, timeoutSeconds)));
    let isDone = false;
    const finish = (result: ProbeResult | undefined): void => {
      if (!result || isDone) return;
      isDone = true;
      timer.cancel();
      socket.close();
      resolve(result);
    };
    socket.on('error', (error) => finish(portFailure(error)));
    socket.on('message', (bytes) => finish(heard(expectation, bytes)));
    socket.connect(port, address, (error?: Error) => {
      if (error) finish(failure(error));
      else if (!isDone) socket.send(send, (failed) => failed && finish(portFailure(failed)));
    });
  });
}

function heard(expectation: Expectation | undefined, bytes: Uint8Array): ProbeResult | undefined {
  if (!expectation) return { verdict: 'healthy', reason: 'it answered' };
  const state = expectation.hear(bytes);
  if (state === 'found') return { verdict: 'healthy', reason: expectation.found };
  return state === 'enough' ? { verdict: 'unhealthy', reason: `it said too much: ${expectation.missed}` } : undefined;
}

function silence(expectation: Expectation | undefined, seconds: number): ProbeResult {
  if (expectation) return { verdict: 'unhealthy', reason: `within ${seconds} s: ${expectation.missed}` };
  return { verdict: 'unknown', reason: 'no answer, and the check expects none: set RecvContext to have silence count' };
}

function portFailure(error: NodeJS.ErrnoException): ProbeResult {
  if (error.code === 'ECONNREFUSED') return { verdict: 'unhealthy', reason: 'port unreachable' };
  return failure(error);
}
