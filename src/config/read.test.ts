import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { childEnvironment, readConfig } from './read.ts';
import { type Setting, SETTINGS } from './settings.ts';
import { Usage } from './usage.ts';

const up = (args: string[], environment = {}) => readConfig(args, ['up'], {}, environment);

test('defaults are those of the outside contract', () => {
  const { config } = up([]);
  assert.deepEqual(config.listen, { host: '127.0.0.1', port: 7400 });
  assert.deepEqual(config.dns, { host: '127.0.0.1', port: 7453 });
  assert.equal(config.data, './.edgefour');
  assert.equal(config.engine, 'auto');
  assert.equal(config.domain, 'edgefour.test');
  assert.equal(config.rate, 20);
  assert.equal(config.records, 1);
  assert.deepEqual(config.features, []);
  assert.deepEqual(config.originsDeny, ['169.254.0.0/16', 'fe80::/10', 'fd00:ec2::254']);
  assert.deepEqual(config.addresses, [process.platform === 'linux' ? '127.44.0.0/16' : '127.0.0.1']);
  assert.equal(config.zone, undefined);
});

test('a flag wins over the environment, the environment over the default, and the source is told', () => {
  const environment = { EDGEFOUR_RATE: '5', EDGEFOUR_DOMAIN: 'a.test' };
  const { config, origins } = up(['--rate=7'], environment);
  assert.equal(config.rate, 7);
  assert.deepEqual(origins.get('rate'), { source: 'flag', text: '7' });
  assert.deepEqual(origins.get('domain'), { source: 'environment', text: 'a.test' });
  assert.deepEqual(origins.get('data'), { source: 'default', text: './.edgefour' });
  assert.deepEqual(origins.get('zone'), { source: 'none' });
});

test('source ports: a list, or off', () => {
  assert.deepEqual(up(['--source-ports', '20000-20009']).config.sourcePorts, [{ from: 20_000, to: 20_009 }]);
  assert.deepEqual(up(['--source-ports', 'off']).config.sourcePorts, []);
});

test('the kinds of the TOA option: two, or one for both families', () => {
  assert.deepEqual(up([]).config.toaKinds, { v4: 254, v6: 253 });
  assert.deepEqual(up(['--toa-kind', '200']).config.toaKinds, { v4: 200, v6: 200 });
  assert.deepEqual(up([], { EDGEFOUR_TOA_KIND: '254,254' }).config.toaKinds, { v4: 254, v6: 254 });
});

test('an empty variable counts as not set', () => {
  assert.equal(up([], { EDGEFOUR_RATE: '' }).config.rate, 20);
});

const REFUSED: [string[], Record<string, string>, RegExp][] = [
  [['--lisen', 'x'], {}, /^Unknown option --lisen\. Did you mean --listen\?$/],
  [['--listen'], {}, /^--listen needs a value: --listen HOST:PORT\.$/],
  [['--listen', '7400'], {}, /^--listen "7400" is not HOST:PORT, for example/],
  [['--listen', '1.2.3.4:70000'], {}, /is not HOST:PORT/],
  [['--listen', '[1.2.3.4]:80'], {}, /is not HOST:PORT/],
  [['--rate', '-1'], {}, /^--rate "-1" is not a whole number from 0/],
  [['--rate', '1', '--rate', '2'], {}, /^--rate was given 2 times/],
  [['--addresses', '10.0.0.0/33'], {}, /holds 10\.0\.0\.0\/33, which is not an address/],
  [['--engine', 'fast'], {}, /is none of auto, node, uring, kernel/],
  ...['1', '254,8', '256', '254,253,252', '254,', 'x'].map((kinds): [string[], Record<string, string>, RegExp] => [
    ['--toa-kind', kinds],
    {},
    /is not the number of a free TCP option/,
  ]),
  [['--source-ports', '80-'], {}, /is not a list of ports such as 10240-32767,61000-65535, or off/],
  [['--join', 'x'], {}, /^Unknown option --join/],
  [['-x'], {}, /^Unknown option -x/],
  [[], { EDGEFOUR_LOG: 'loud' }, /^EDGEFOUR_LOG "loud" holds loud; write a level/],
  [[], { EDGEFOUR_SECRET_ID: 'a' }, /belong together/],
  [[], { EDGEFOUR_ZONE: 'nope' }, /is not an id like zone-/],
];
for (const [args, environment, message] of REFUSED) {
  test(`refused in one line: ${[...args, ...Object.keys(environment)].join(' ')}`, () => {
    assert.throws(
      () => up(args, environment),
      (error) => error instanceof Usage && message.test(error.message) && !error.message.includes('\n'),
    );
  });
}

test('a bad secret is refused without being shown', () => {
  const environment = { EDGEFOUR_SECRET_ID: 'id', EDGEFOUR_SECRET_KEY: 'not good' };
  assert.throws(
    () => up([], environment),
    (error) => error instanceof Usage && !error.message.includes('not good'),
  );
});

test('every setting has a help line, and its default parses', () => {
  for (const [name, setting] of Object.entries<Setting>(SETTINGS)) {
    assert.match(setting.help, /\.$/, name);
    assert.match(setting.env, /^EDGEFOUR_[A-Z_]+$/, name);
    const preset = setting.default;
    if (typeof preset === 'string') assert.doesNotThrow(() => setting.parse(preset), name);
  }
});

test('whatever the command line, the answer is a value or a Usage', () => {
  const word = fc.oneof(fc.string(), fc.constantFrom('--listen', '--rate', '--', '--dns=off', '--addresses', '[::]:1'));
  fc.assert(
    fc.property(fc.array(word, { maxLength: 6 }), (args) => {
      try {
        up(args);
      } catch (error) {
        assert.ok(error instanceof Usage, String(error));
      }
    }),
    { numRuns: 500 },
  );
});

test('a child gets the secrets that its role reads, and no others', () => {
  const given = { PATH: '/bin', EDGEFOUR_SECRET_ID: 'AKIDx', EDGEFOUR_SECRET_KEY: 'key', EDGEFOUR_RATE: '7' };
  assert.deepEqual(childEnvironment('control', given), given);
  assert.deepEqual(childEnvironment('edge', given), { PATH: '/bin', EDGEFOUR_RATE: '7' });
});
