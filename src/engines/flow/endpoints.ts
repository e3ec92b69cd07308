/** The points that a listener binds, each entry address with each port of its spans, and the origin's port for each. Pure. */
import type { Protocol } from '../../domain/l4-rule/modes.ts';
import { spanSize, type PortSpan } from '../../lib/net/ports.ts';
import type { Endpoint } from '../pass-through/pass-through.ts';

export interface BindPoint extends Endpoint {
  readonly protocol: Protocol;
  /** Unique per protocol, address and port. */
  readonly key: string;
}

export function bindPoints(rule: {
  readonly protocol: Protocol;
  readonly entries: readonly string[];
  readonly ports: readonly PortSpan[];
}): Map<string, BindPoint> {
  const points = new Map<string, BindPoint>();
  for (const address of rule.entries) {
    for (const { from, to } of rule.ports) {
      for (let port = from; port <= to; port++) {
        const key = `${rule.protocol} ${address} ${port}`;
        points.set(key, { protocol: rule.protocol, address, port, key });
      }
    }
  }
  return points;
}

/** The origin's port for `port`, one of `ports` (plan.ts, `originPorts`); undefined: the rule does not have that port. */
export function originPort(ports: readonly PortSpan[], originPorts: PortSpan, port: number): number | undefined {
  let offset = 0;
  for (const span of ports) {
    if (port >= span.from && port <= span.to) {
      return spanSize(originPorts) === 1 ? originPorts.from : originPorts.from + offset + (port - span.from);
    }
    offset += spanSize(span);
  }
  return undefined;
}
