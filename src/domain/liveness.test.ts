import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type KnownEdge, silenceNotes, waitNotes } from './liveness.ts';

const edge = (id: string, site: string, more: Partial<KnownEdge> = {}): KnownEdge => ({
  id,
  site,
  alive: true,
  applied: 7,
  seenAt: 0,
  ...more,
});
const bySite = (...edges: KnownEdge[]) => Map.groupBy(edges, ({ site }) => site);
const proxy = { area: 'overseas', entries: { paris: { v4: '192.0.2.1' }, tokyo: { v4: '192.0.2.2' } } } as const;
const SINCE = 'is silent since 1970-01-01T00:00:00+00:00';

test('a site without a live edge is named with its edges; one with a live edge is not', () => {
  const dead = { alive: false };
  assert.deepEqual(
    silenceNotes(proxy, bySite(edge('p1', 'paris', dead), edge('p2', 'paris'), edge('t1', 'tokyo'))),
    [],
  );
  assert.deepEqual(silenceNotes(proxy, bySite(edge('p1', 'paris', dead), edge('t1', 'tokyo'))), [
    `site paris is out of DNS: edge p1 ${SINCE}`,
  ]);
  assert.deepEqual(silenceNotes(proxy, bySite(edge('p1', 'paris', dead), edge('t1', 'tokyo', dead))), [
    `no edge that serves it is alive: edge p1 ${SINCE}, edge t1 ${SINCE}; the status is what they reported last, and DNS answers all the same`,
  ]);
  assert.deepEqual(silenceNotes(proxy, bySite(edge('x', 'elsewhere', dead))), []);
});

test('a change names the live edges that it waits for', () => {
  const sites = ['paris', 'tokyo'].map((id) => ({ id, pool: [], areas: ['overseas'] as const }));
  const edges = bySite(edge('p1', 'paris'), edge('p2', 'paris', { alive: false }), edge('t1', 'tokyo', { applied: 9 }));
  assert.deepEqual(waitNotes(proxy, 9, sites, edges), ['revision 9 waits for edge p1 (at revision 7)']);
  assert.deepEqual(waitNotes(proxy, 7, sites, edges), []);
  assert.deepEqual(waitNotes(proxy, 9, sites, bySite()), ['no edge that could serve it has joined']);
});
