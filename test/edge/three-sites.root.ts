/**
 * Three sites, each an edge in a namespace of its own, one control: an origin that is dead for one of them is out there alone, one
 * that is dead for two is out everywhere, and the API says which.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { showGroupHealth } from '../../src/api/models/OriginHealthStatus.ts';
import { enter, whyNoNamespaces } from '../engines/kernel-namespaces.ts';
import { eventually } from '../suites/engine/fixture.ts';
import { newGroup } from '../world/groups.ts';
import { type ControlEnd, controlEnd } from './control-end.ts';
import { proxy, rule } from './edges.ts';
import { mortalOrigin, who } from './mortal-origins.ts';

const SITES = ['berlin', 'lima', 'paris'] as const;
type Site = (typeof SITES)[number];
const BIN = new URL('../../bin/edgefour.js', import.meta.url).pathname;
const OUT = `e4s${process.pid}o`;
const namespaceOf = (site: Site): string => `e4s${process.pid}${SITES.indexOf(site)}`;
const entryOf = (site: Site): string => `10.96.${SITES.indexOf(site)}.1`;
const PORT = 700;
const sh = (lines: string): void => void execFileSync('/bin/sh', ['-ec', lines], { stdio: 'pipe' });

/** The network `out`, where clients and origins are and this process goes, and one of each site behind it. */
function makeSites(): void {
  sh(`ip netns add ${OUT}; ip -n ${OUT} link set lo up; ip -n ${OUT} route add local 10.64.0.0/16 dev lo
    ip netns exec ${OUT} sysctl -qw net.ipv4.ip_nonlocal_bind=1`);
  for (const [i, site] of SITES.entries()) {
    const name = namespaceOf(site);
    sh(`ip netns add ${name}; ip -n ${name} link set lo up
      ip link add e0 netns ${name} type veth peer name o${i} netns ${OUT}
      ip -n ${name} addr add 10.127.${i}.2/30 dev e0; ip -n ${OUT} addr add 10.127.${i}.1/30 dev o${i}
      ip -n ${name} link set e0 up; ip -n ${OUT} link set o${i} up
      ip -n ${name} route add local 10.96.${i}.0/24 dev lo; ip -n ${OUT} route add 10.96.${i}.0/24 via 10.127.${i}.2
      ip -n ${name} route add 10.64.0.0/16 via 10.127.${i}.1`);
  }
}

function removeSites(): void {
  for (const name of [OUT, ...SITES.map(namespaceOf)]) sh(`ip netns del ${name} 2>/dev/null || true`);
}

function startEdge(control: ControlEnd, site: Site): ChildProcess {
  const place = [
    '--join',
    `unix:${control.socket}`,
    '--data',
    join(control.folder, site),
    '--site',
    site,
    '--edge',
    site,
  ];
  const args = [
    'netns',
    'exec',
    namespaceOf(site),
    process.execPath,
    BIN,
    'edge',
    ...place,
    '--engine',
    'node',
    '--drain',
    '0',
    '--log',
    'warn',
  ];
  return spawn('ip', args, { stdio: ['ignore', 'ignore', 'inherit'] });
}

test(
  'an origin dead for one site is out there alone; dead for two, everywhere',
  { skip: whyNoNamespaces() ?? false },
  async (t) => {
    removeSites();
    after(removeSites);
    makeSites();
    enter(OUT);
    await using control = await controlEnd();
    const first = await mortalOrigin(t, '10.64.0.1');
    const second = await mortalOrigin(t, '10.64.0.2', first.port);
    const hosts = [first.address, second.address];
    const group = newGroup('og-1', hosts, { zone: 'zone-a' });
    const checker = {
      type: 'TCP',
      port: first.port,
      interval: 1,
      timeout: 1,
      healthThreshold: 2,
      criticalThreshold: 2,
    } as const;
    const balancer = { id: 'lb-1', zone: 'zone-a', name: 'lb', type: 'GENERAL', changed: 1, checker } as const;
    const entries = Object.fromEntries(SITES.map((site) => [site, { v4: entryOf(site) }]));
    const led = { originType: 'LB', originValue: ['lb-1'], options: { passive: 'off', connectTimeoutMs: 500 } };
    const records = [rule('rule-1', PORT, '', first.port, led)];
    await control.put({
      'zone/zone-a': { id: 'zone-a', paused: false, changed: 1 },
      ...Object.fromEntries(
        SITES.map((site) => [`site/${site}`, { id: site, pool: [`${entryOf(site)}/32`], areas: ['overseas'] }]),
      ),
      'origin-group/zone-a/og-1': group,
      'load-balancer/zone-a/lb-1': { ...balancer, groups: [{ priority: 1, group: 'og-1' }] },
      'proxy/zone-a/a': proxy('a', '', records, { entries }),
    });
    await using ending = new AsyncDisposableStack();
    for (const site of SITES) {
      const edge = startEdge(control, site);
      ending.defer(async () => {
        edge.kill('SIGTERM');
        if (edge.exitCode === null && edge.signalCode === null) await once(edge, 'exit');
      });
    }

    /** Which origins answer the site's clients. */
    async function served(site: Site): Promise<string[]> {
      const answers = new Set<string>();
      for (let n = 0; n < 4; n++) answers.add(await who(entryOf(site), PORT, 3_000));
      return [...answers].toSorted();
    }
    /** Of the first origin: what the API says, and what it says of each site. */
    function said(): readonly [string | undefined, Readonly<Record<string, string>>] {
      const shown = showGroupHealth(balancer, group, control.facts.read.health);
      const regions = shown.CheckRegionHealthStatus.map(({ Region, OriginHealthStatus }) => [
        Region,
        OriginHealthStatus[0]!.Healthy,
      ]);
      return [shown.OriginHealthStatus[0]?.Healthy, Object.fromEntries(regions)];
    }
    const expects = (word: string, berlin: string, lima: string, paris: string, ...onSecond: Site[]) =>
      eventually(async () => {
        assert.deepEqual(said(), [word, { berlin, lima, paris }]);
        for (const site of SITES)
          assert.deepEqual(await served(site), onSecond.includes(site) ? [second.address] : hosts, site);
      }, 60_000);
    const by = () =>
      control.facts.read.origins
        .find({ host: first.address })
        .map(({ edge, origin }) => `${edge} ${origin.state} ${origin.by}`)
        .toSorted();
    const [well, ill] = ['Healthy', 'Unhealthy'];
    const cut = (site: Site): void => sh(`ip -n ${namespaceOf(site)} route add unreachable ${first.address}/32`);
    const mend = (site: Site): void => sh(`ip -n ${namespaceOf(site)} route del unreachable ${first.address}/32`);

    await expects(well, well, well, well);
    cut('berlin');
    await expects(well, ill, well, well, 'berlin');
    cut('lima');
    await expects(ill, ill, ill, well, ...SITES);
    await eventually(() => assert.deepEqual(by(), ['berlin down probe', 'lima down probe', 'paris down fleet']));
    mend('berlin');
    await expects(well, well, ill, well, 'lima');

    // Control gone: each site goes on by what it finds itself.
    await control.down();
    mend('lima');
    cut('paris');
    await eventually(async () => {
      for (const site of SITES) assert.deepEqual(await served(site), site === 'paris' ? [second.address] : hosts, site);
    }, 60_000);
    await control.up();
    await expects(well, well, well, ill, 'paris');
  },
);
