import assert from 'node:assert/strict';
import { test } from 'node:test';
import { egressRule } from '../../lib/net/egress.ts';
import { listener, target } from '../../../test/suites/engine/listener.ts';
import { barTargets } from './bars.ts';
import { Loops } from './loops.ts';

const span = (from: number, to = from) => ({ from, to });
const leads = (entry: string, port: number, to: string, toPort: number, more = {}) =>
  listener({ entries: [entry], ports: [span(port)], targets: [target(to)], originPorts: span(toPort), ...more });

function loops(...local: string[]): Loops {
  return new Loops((address) => address.startsWith('127.') || local.includes(address));
}

test('a rule that leads to itself loops before anything is served, at the ports that are its own', () => {
  const none = loops();
  assert.deepEqual(none.portsThatLoop(leads('192.0.2.1', 80, '192.0.2.1', 80), '192.0.2.1'), [span(80)]);
  assert.deepEqual(none.portsThatLoop(leads('192.0.2.1', 80, '192.0.2.1', 81), '192.0.2.1'), []);
  assert.deepEqual(none.portsThatLoop(leads('192.0.2.1', 80, '192.0.2.2', 80), '192.0.2.2'), []);
  const range = { ports: [span(80, 89)], originPorts: span(85, 94) };
  assert.deepEqual(none.portsThatLoop(leads('192.0.2.1', 0, '192.0.2.1', 0, range), '192.0.2.1'), [span(85, 89)]);
});

test('so does one that leads to another, from when that serves until it does no more, and it is told of both', () => {
  const all = loops();
  const a = leads('192.0.2.1', 80, '::ffff:192.0.2.2', 80);
  all.leads('a', a);
  all.leads('udp', { ...a, protocol: 'UDP' });
  all.leads('other port', { ...a, originPorts: span(81) });
  assert.deepEqual(all.portsThatLoop(a, '::ffff:192.0.2.2'), []);
  const b = leads('192.0.2.2', 80, '198.51.100.1', 80);
  assert.deepEqual([...all.listens('b', b)], ['a']);
  assert.deepEqual([...all.listens('b', b)], []);
  assert.deepEqual(all.portsThatLoop(a, '::ffff:192.0.2.2'), [span(80)]);
  assert.deepEqual([...all.listens('b', { ...b, ports: [span(81)] })], ['a', 'other port']);
  assert.deepEqual(all.portsThatLoop(a, '192.0.2.2'), []);
  assert.deepEqual([...all.listens('b', undefined)], ['other port']);
  all.leads('other port', undefined);
  assert.deepEqual([...all.listens('b', b)], ['a']);
});

test('a listener on every address is reached by every address of the machine', () => {
  const all = loops('192.0.2.7');
  const [to, far] = [leads('192.0.2.1', 80, '192.0.2.7', 80), leads('192.0.2.1', 80, '192.0.2.8', 80)];
  all.leads('to', to);
  all.leads('far', far);
  all.leads('lo', leads('192.0.2.1', 80, '127.0.0.9', 80));
  assert.deepEqual(all.localChanged(), []);
  assert.deepEqual([...all.listens('wild', leads('0.0.0.0', 80, '198.51.100.1', 80))], ['to', 'lo']);
  assert.deepEqual(all.portsThatLoop(to, '192.0.2.7'), [span(80)]);
  assert.deepEqual(all.portsThatLoop(far, '192.0.2.8'), []);
  assert.deepEqual(all.portsThatLoop(leads('::', 80, '127.0.0.1', 80), '127.0.0.1'), [span(80)]);
  assert.deepEqual(all.localChanged(), ['to', 'far', 'lo']);
});

test('judged: only what loops or is denied loses its weight, whole targets where ports cannot be told apart', () => {
  const targets = ['192.0.2.1', '169.254.169.254', '::ffff:a9fe:1', '0.0.0.0', '2001:db8::1%lo', '198.51.100.1'].map(
    (one) => target(one),
  );
  const rule = leads('192.0.2.1', 0, '', 0, { ports: [span(80, 89)], originPorts: span(85, 94), targets });
  const egress = egressRule(['169.254.0.0/16']);
  const judged = barTargets(rule, egress, loops(), false);
  assert.deepEqual(
    judged.targets.map(({ weight, barred }) => [weight, barred]),
    [
      [10, { cause: 'loop', ports: [span(85, 89)] }],
      [0, { cause: 'denied' }],
      [0, { cause: 'denied' }],
      [0, { cause: 'denied' }],
      [0, { cause: 'denied' }],
      [10, undefined],
    ],
  );
  assert.deepEqual(
    [judged.notes.length, judged.notes[0], judged.notes.at(-1)],
    [4, 'loop: TCP 192.0.2.1:85-89 is a listener of this edge and is not dialled', 'and 2 more'],
  );
  const whole = barTargets(rule, egress, loops(), true);
  assert.deepEqual([whole.targets[0]?.weight, whole.targets[0]?.barred], [0, { cause: 'loop' }]);
});
