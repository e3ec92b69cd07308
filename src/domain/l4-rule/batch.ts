/**
 * What a batch does to the rules of one instance: all of it or nothing. Pure: the instance as it will be, or the fault.
 * A batch that changes nothing returns the very same record, so that its caller writes nothing. Only rules that really
 * change are stamped; a rule that stays as it is keeps its connections. Called by the actions in api/actions/l4-rule.
 */
import { Fault, refuse } from '../../faults/fault.ts';
import type { L4Proxy } from '../l4-proxy/l4-proxy.ts';
import { type HealthChecker, withChecker } from '../load-balancer/health-checker.ts';
import { THIS_WRITE } from '../stamp.ts';
import type { RuleStatus } from '../status.ts';
import { type RuleDraft, ruleFault } from './check.ts';
import type { L4Rule } from './l4-rule.ts';
import { changedOptions, type OptionsChange } from './options.ts';
import type { OriginWorld } from './origins.ts';
import { type NameRule, portClash } from './ports.ts';

/**
 * limit: the record of an instance with its rules must fit one request to any store (etcd takes 1.5 MiB) and is written
 * again with each rule. 2,000 usual rules of 280 characters are 560,000; rules full of origins reach the size first.
 */
const MOST_RULES = 2_000;
export const MOST_RULE_TEXT = 1_000_000;

type TooMany = Fault<'LimitExceeded.ProxyRulesLimitExceeded'>;
type BatchFault = NonNullable<ReturnType<typeof ruleFault>> | Fault<'InvalidParameter.RulePortDuplicating'> | TooMany;
type Unknown = Fault<'ResourceNotFound'>;

interface NewRule extends RuleDraft {
  readonly id: string;
}

export function createRules(proxy: L4Proxy, added: readonly NewRule[], world: OriginWorld): L4Proxy | BatchFault {
  for (const [i, rule] of added.entries()) {
    const fault = ruleFault(rule, world, `L4ProxyRules.${i}`);
    if (fault) return fault;
  }
  const fresh = added.map((rule): L4Rule => ({ ...rule, want: 'online', changed: THIS_WRITE }));
  return fitting({ ...proxy, rules: [...proxy.rules, ...fresh] }, placesOf(added));
}

/** New rules by their places in the request: a batch that is refused leaves no rule with any of the ids. */
export function placesOf(added: readonly Pick<NewRule, 'id'>[]): NameRule {
  const places = new Map(added.map(({ id }, i) => [id, `L4ProxyRules.${i}`]));
  return (id) => places.get(id) ?? id;
}

interface RuleChange {
  readonly id: string;
  /** Only what is to change. */
  readonly to: Partial<RuleDraft>;
}

export function changeRules(
  proxy: L4Proxy,
  changes: readonly RuleChange[],
  world: OriginWorld,
): L4Proxy | BatchFault | Unknown {
  const byId = new Map<string, L4Rule>();
  for (const [i, { id, to }] of changes.entries()) {
    const where = `L4ProxyRules.${i}`;
    const rule = proxy.rules.find((rule) => rule.id === id);
    if (!rule) return unknownRule(proxy, id);
    if (byId.has(id)) return refuse('InvalidParameter.ParameterError', `${where}: ${id} is in the request twice.`);
    const merged = { ...rule, ...to };
    const fault = ruleFault(merged, world, where);
    if (fault) return fault;
    byId.set(id, merged);
  }
  const next = withRules(proxy, (rule) => byId.get(rule.id) ?? rule);
  return next === proxy ? proxy : fitting(next);
}

export function switchRules(proxy: L4Proxy, ids: readonly string[], want: L4Rule['want']): L4Proxy | Unknown {
  return updateNamed(proxy, ids, (rule) => ({ ...rule, want }));
}

export function setRuleOptions(proxy: L4Proxy, ids: readonly string[], change: OptionsChange): L4Proxy | Unknown {
  return updateNamed(proxy, ids, (rule) => ({ ...rule, options: changedOptions(rule.options, change) }));
}

/** Undefined: the rules say nothing of their own. A check can be long, so that all of them may be too much for one record. */
export function setRuleChecker(proxy: L4Proxy, ids: readonly string[], checker: HealthChecker | undefined) {
  const next = updateNamed(proxy, ids, (rule) => withChecker(rule, checker));
  return next === proxy || next instanceof Fault ? next : (sizeFault(next) ?? next);
}

/**
 * wire: only a rule that is off can go, so that no call cuts live traffic by accident; clients switch it off and wait.
 * One that failed may go as well: Terraform deletes it without switching it off first, and would never get rid of it.
 */
export function removeRules(
  proxy: L4Proxy,
  ids: readonly string[],
  statusOf: (rule: L4Rule) => RuleStatus,
): L4Proxy | Unknown | Fault<'UnsupportedOperation'> {
  for (const id of ids) {
    const rule = proxy.rules.find((rule) => rule.id === id);
    if (!rule) return unknownRule(proxy, id);
    const status = statusOf(rule);
    if (status === 'offline' || status === 'fail') continue;
    return refuse('UnsupportedOperation', `Rule ${id} is ${status}; set its status to offline and wait until it is.`);
  }
  return { ...proxy, rules: proxy.rules.filter((rule) => !ids.includes(rule.id)) };
}

function updateNamed(proxy: L4Proxy, ids: readonly string[], update: (rule: L4Rule) => L4Rule): L4Proxy | Unknown {
  const unknown = ids.find((id) => !proxy.rules.some((rule) => rule.id === id));
  if (unknown !== undefined) return unknownRule(proxy, unknown);
  return withRules(proxy, (rule) => (ids.includes(rule.id) ? update(rule) : rule));
}

/** Stamps what differs; the same record where nothing does. */
function withRules(proxy: L4Proxy, update: (rule: L4Rule) => L4Rule): L4Proxy {
  let isChanged = false;
  const rules = proxy.rules.map((rule) => {
    const next = update(rule);
    if (next === rule || JSON.stringify(next) === JSON.stringify(rule)) return rule;
    isChanged = true;
    return { ...next, changed: THIS_WRITE };
  });
  return isChanged ? { ...proxy, rules } : proxy;
}

/** The instance, if its rules can live together in one record. */
function fitting(proxy: L4Proxy, nameOf?: NameRule): L4Proxy | BatchFault {
  const fault = sizeFault(proxy);
  if (fault) return fault;
  const clash = portClash(proxy.rules, nameOf);
  return clash === undefined ? proxy : refuse('InvalidParameter.RulePortDuplicating', clash);
}

function sizeFault({ rules }: L4Proxy): TooMany | undefined {
  if (rules.length > MOST_RULES)
    return tooMany(`The instance would have ${rules.length} rules; it can have ${MOST_RULES}.`);
  if (JSON.stringify(rules).length > MOST_RULE_TEXT)
    return tooMany(`The rules of the instance would be longer than ${MOST_RULE_TEXT} characters together.`);
  return undefined;
}

function tooMany(why: string): TooMany {
  return refuse('LimitExceeded.ProxyRulesLimitExceeded', `${why} Merge ports into ranges, or create another instance.`);
}

function unknownRule(proxy: L4Proxy, id: string): Unknown {
  return refuse('ResourceNotFound', `Instance ${proxy.id} has no rule ${id}.`);
}
