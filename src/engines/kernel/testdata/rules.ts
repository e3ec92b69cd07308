/** One rule of each kind that the kernel engine renders differently. */
import { listener, options, target } from '../../../../test/suites/engine/listener.ts';

const entries = ['192.0.2.1'];
const port = (from: number, to = from) => ({ ports: [{ from, to }] });
const three = [target('10.0.0.1', 50), target('10.0.0.2', 30), target('10.0.0.3', 20), target('10.0.0.4', 0)];
const to8080 = { originPorts: { from: 8080, to: 8080 } };

export const RULES = {
  one: listener({ id: 'rule-one', entries, ...port(80), ...to8080, targets: [target('10.0.0.1')] }),
  range: listener({ id: 'rule-range', entries, ...port(1000, 1999), ...to8080, targets: [target('10.0.0.1')] }),
  keep: listener({
    id: 'rule-keep',
    entries,
    ...port(30_000, 39_999),
    originPorts: { from: 30_000, to: 39_999 },
    targets: [target('10.0.0.1')],
  }),
  shift: listener({
    id: 'rule-shift',
    entries,
    ...port(2001, 2003),
    originPorts: { from: 8001, to: 8003 },
    targets: [target('10.0.0.1')],
  }),
  turn: listener({ id: 'rule-turn', entries, ...port(90), ...to8080, targets: three }),
  kept: listener({ id: 'rule-kept', entries, ...port(91), ...to8080, targets: three, persistSeconds: 3600 }),
  keptRange: listener({
    id: 'rule-kept-range',
    entries,
    ...port(4000, 4001),
    originPorts: { from: 5000, to: 5001 },
    targets: three,
    persistSeconds: 30,
  }),
  spare: listener({
    id: 'rule-spare',
    entries,
    ...port(92),
    ...to8080,
    targets: [target('10.0.0.1', 10, 0), target('10.0.0.2', 10, 1)],
  }),
  refused: listener({ id: 'rule-refused', entries, ...port(93), ...to8080 }),
  udp: listener({
    id: 'rule-udp',
    protocol: 'UDP',
    entries,
    ...port(53),
    originPorts: { from: 5353, to: 5353 },
    targets: [target('10.0.0.1')],
    options: options({ idleSeconds: 120, recordOneIn: 100 }),
  }),
  slow: listener({
    id: 'rule-slow',
    protocol: 'UDP',
    entries,
    ...port(54),
    originPorts: { from: 5354, to: 5354 },
    targets: [target('10.0.0.1')],
    limits: { packetsPerSecond: 100 },
  }),
  both: listener({
    id: 'rule-both',
    entries: ['192.0.2.1', '2001:db8::1'],
    ...port(443),
    originPorts: { from: 443, to: 443 },
    targets: [target('10.0.0.1'), target('2001:db8:1::1', 1), target('2001:db8:1::2', 2)],
    options: options({ recordOneIn: 0 }),
  }),
};
