/** A reconciler on engines that forward nothing, and the rules to feed it. For tests of it alone. */
import { factoryOf, type FakeEngine } from '../../../test/edge/fake-engine.ts';
import { ManualClock } from '../../../test/world/manual-clock.ts';
import { egressRule } from '../../lib/net/egress.ts';
import { seededRng } from '../../lib/rng.ts';
import { Signal } from '../../lib/signal.ts';
import { silentLog } from '../../observe/log.ts';
import { plannedRule } from '../../plan/plan.fixture.ts';
import type { PlannedRule } from '../../plan/plan.ts';
import type { EngineSetting } from '../../engines/registry.ts';
import { openEngines } from '../../engines/hosting/engine-set.ts';
import type { Lookup } from '../origins/lookup.ts';
import { OriginNames } from '../origins/names.ts';
import { Origins } from '../origins/origins.ts';
import { Reconciler } from './reconcile.ts';

export function rule(id: string, more: Partial<PlannedRule> = {}): PlannedRule {
  return plannedRule({ id, ...more });
}
export const port = (n: number) => ({ ports: [{ from: n, to: n }] });
export const origin = (host: string) => ({ origins: [{ host, weight: 1, tier: 0 }] });
const noLookup: Lookup = () => Promise.reject(new Error('no such name'));

interface Around {
  readonly setting?: EngineSetting;
  readonly comesWithSockets?: () => boolean;
  readonly isLocal?: (address: string) => boolean;
}

export async function reconciler(
  engines: readonly FakeEngine[],
  { setting = 'auto', isLocal = (address) => address.startsWith('127.'), ...more }: Around = {},
  lookup = noLookup,
) {
  const clock = new ManualClock();
  const rng = seededRng(1);
  const log = silentLog;
  const names = new OriginNames({ lookup, clock, rng, log });
  const local = { has: isLocal, changed: new Signal(), stop() {} };
  const origins = new Origins({ names, dialling: { egress: egressRule(['169.254.0.0/16']), lookup }, local });
  const factories = Object.fromEntries(engines.map((engine) => [engine.name, factoryOf(engine)]));
  const set = await openEngines(factories, log, { record() {}, listener() {}, outcomes() {} });
  const settled: string[] = [];
  const made = new Reconciler({
    engines: set,
    setting,
    origins,
    clock,
    rng,
    log,
    changed: new Signal(),
    settled: (rule) => settled.push(rule),
    ...more,
  });
  const failures = () => Object.fromEntries([...made.failures()].map(({ id, reason }) => [id, reason]));
  return { clock, names, local, made, failures, settled };
}

export const put = (...rules: PlannedRule[]) => ({ put: rules, drop: [] });
export const drop = (...ids: string[]) => ({ put: [], drop: ids });
