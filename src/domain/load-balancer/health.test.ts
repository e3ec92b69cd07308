import assert from 'node:assert/strict';
import { test } from 'node:test';
import { overall, siteViews } from './health.ts';

const sites = (...words: boolean[]) => words.map((isHealthy, i) => ({ site: `site-${i}`, isHealthy }));

test('unhealthy where more than half of the sites say so', () => {
  assert.equal(overall([]), 'Undetected');
  assert.equal(overall(sites(true)), 'Healthy');
  assert.equal(overall(sites(false)), 'Unhealthy');
  assert.equal(overall(sites(true, false)), 'Healthy');
  assert.equal(overall(sites(true, false, false)), 'Unhealthy');
  assert.equal(overall(sites(true, true, false, false)), 'Healthy');
});

test('a site sees a group as healthy only where it finds all of its origins so', () => {
  const views = siteViews([
    { host: 'a', reports: sites(true, true, false) },
    { host: 'b', reports: sites(true, false) },
    { host: 'c', reports: sites(true) },
  ]);
  const [good, ill] = ['Healthy', 'Unhealthy'] as const;
  const seen = views.map(({ site, together, origins }) => [site, together, ...origins.map(({ word }) => word)]);
  assert.deepEqual(seen, [
    ['site-0', good, good, good, good],
    ['site-1', ill, good, ill, 'Undetected'],
    ['site-2', ill, ill, 'Undetected', 'Undetected'],
  ]);
  assert.deepEqual(
    siteViews([
      { host: 'a', reports: sites(true) },
      { host: 'b', reports: [] },
    ]).map(({ together }) => together),
    ['Undetected'],
  );
  assert.deepEqual(siteViews([{ host: 'a', reports: [] }]), []);
});
