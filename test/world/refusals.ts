/**
 * The refusals of one action as a table: each case brings a world into a state and expects one code, and that nothing
 * was written. A code that the action declares and no case provokes fails the table, unless it is one that EdgeFour
 * itself has no cause for, which docs/decisions/refusals.md has to say; those are asked for as injected faults.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { ACTIONS } from '../../src/api/actions/index.ts';
import type { Caller } from '../../src/api/handling/transaction.ts';
import type { L4Proxy } from '../../src/domain/l4-proxy/l4-proxy.ts';
import type { FaultCode } from '../../src/faults/catalogue.ts';
import { keys } from '../../src/store/records.ts';
import { type ActionWorld, actionWorld, type Name, type RequestOf, ROOT, type WorldOptions, ZONE } from './actions.ts';

export interface Prepared {
  /** An overseas instance `prepared` … */
  readonly ProxyId: string;
  /** … and its rule, TCP 80. */
  readonly RuleId: string;
}

export const WEB = {
  Protocol: 'TCP',
  PortRange: ['80'],
  OriginType: 'IP_DOMAIN',
  OriginValue: ['10.0.0.8'],
  OriginPortRange: '8080',
} as const;

interface Refusal {
  readonly code: FaultCode;
  readonly because: string;
  /** Over the table's request. */
  readonly request?: object | ((prepared: Prepared) => object);
  readonly options?: WorldOptions;
  readonly caller?: Caller;
  readonly given?: (world: ActionWorld, prepared: Prepared) => unknown;
}

/** Policies are a step before handlers; test/conformance/denied.test.ts provokes it of every action. */
const BY_POLICY = 'UnauthorizedOperation.CamUnauthorized';
const REASONS = readFileSync(new URL('../../docs/decisions/refusals.md', import.meta.url), 'utf8');

/** Creates the instance and the rule that most tests start from. */
export async function prepare(world: ActionWorld, settings: object = {}): Promise<Prepared> {
  const { ProxyId } = await world.call('CreateL4Proxy', {
    ZoneId: ZONE,
    ProxyName: 'prepared',
    Area: 'overseas',
    ...settings,
  });
  const created = await world.call('CreateL4ProxyRules', { ZoneId: ZONE, ProxyId, L4ProxyRules: [copy(WEB)] });
  return { ProxyId, RuleId: created.L4ProxyRuleIds[0] ?? '' };
}

/** Changes the prepared instance's record behind the actions' back. */
export async function alter(world: ActionWorld, change: Partial<L4Proxy>): Promise<void> {
  const proxy = (await world.read(keys.proxy(ZONE, 'prepared'))) ?? assert.fail('no prepared instance');
  await world.write(keys.proxy(ZONE, 'prepared'), { ...proxy, ...change });
}

export function copy<T>(value: T): { -readonly [K in keyof T]: T[K] extends readonly (infer I)[] ? I[] : T[K] } {
  return structuredClone(value) as never;
}

export function refusals<N extends Name>(
  name: N,
  request: (prepared: Prepared) => RequestOf<N>,
  cases: readonly Refusal[],
  unprovoked: readonly FaultCode[],
  prepared = true,
): void {
  test(`${name}: every refusal has its cause`, async (t) => {
    for (const { code, because, options, caller = ROOT, given, request: change } of cases) {
      await t.test(`${code}: ${because}`, async () => {
        await using world = await actionWorld(options);
        const ids = prepared ? await prepare(world) : { ProxyId: '', RuleId: '' };
        await given?.(world, ids);
        const before = await world.revision();
        const over = typeof change === 'function' ? change(ids) : change;
        const fault = await world.refusal(name, { ...request(ids), ...over }, caller);
        assert.equal(fault.code, code, fault.message);
        assert.equal(await world.revision(), before);
      });
    }
    const declared: readonly FaultCode[] = ACTIONS[name].errors;
    const left = declared.filter((code) => !cases.some((provoked) => provoked.code === code));
    assert.deepEqual(left.sort(), [...unprovoked].sort());
    const unsaid = unprovoked.filter((code) => code !== BY_POLICY && !REASONS.includes(`\`${code}\``));
    assert.deepEqual(unsaid, [], 'docs/decisions/refusals.md says why nothing causes a code');
  });
  test(`${name}: what has no cause here can be asked for`, async () => {
    await using world = await actionWorld();
    const ids = prepared ? await prepare(world) : { ProxyId: '', RuleId: '' };
    for (const code of unprovoked) {
      world.around.faults.add({ action: name, code, times: 1, delayMs: 0 });
      assert.equal(await world.refusedWith(name, request(ids)), code);
    }
  });
}
