import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Statement } from './transaction.ts';
import { createWriter } from './writer.ts';

const element = (key: string): Statement => ({
  verb: 'add',
  set: 'fresh',
  elements: [{ set: 'fresh', key, data: '' }],
});

function desk(refuses: (text: string) => boolean = () => false) {
  const runs: string[] = [];
  const run = (way: string, statements: readonly Statement[]): string => {
    const keys = statements.map((one) =>
      typeof one !== 'string' && 'verb' in one ? (one.elements[0]?.key ?? '') : (one as string),
    );
    runs.push(`${way} ${keys.join(' ')}`);
    return keys.some(refuses) ? 'no' : '';
  };
  const writer = createWriter({
    nft: (statements) => Promise.resolve(run('nft', statements)),
    direct: (statements) =>
      statements.every((one) => typeof one !== 'string') ? run('direct', statements) : undefined,
  });
  return { writer, runs };
}

test('what comes together goes together; what can goes the quick way', async () => {
  const { writer, runs } = desk();
  await Promise.all([writer.write([element('1')]), writer.write([element('2'), element('3')])]);
  await Promise.all([writer.write([element('4')]), writer.write(['add chain'])]);
  assert.deepEqual(runs, ['direct 1 2 3', 'nft 4 add chain']);
  assert.equal(await writer.write([]), '');
  assert.equal(runs.length, 2);
});

test('one that is refused takes no other along', async () => {
  const { writer, runs } = desk((key) => key === 'bad');
  const answers = await Promise.all(['1', 'bad', '2'].map((key) => writer.write([element(key)])));
  assert.deepEqual(answers, ['', 'no', '']);
  assert.deepEqual(runs, ['direct 1 bad 2', 'direct 1', 'direct bad', 'direct 2']);
  await writer.settled();
});
