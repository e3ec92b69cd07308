/**
 * The origins of rules as edges see them, found by the records that rules name. What of two origins at one address a rule uses is
 * told by the same things as on an edge (edge/origins/numbers.ts). Called by the handler of EdgeFourDescribeStatus.
 */
import type { L4Rule } from '../../domain/l4-rule/l4-rule.ts';
import { careOf } from '../../domain/l4-rule/options.ts';
import { type Asking, firstAsking } from '../../domain/load-balancer/checker.ts';
import { formatPortSpan, parsePortSpan } from '../../lib/net/ports.ts';
import { keys } from '../../store/records.ts';
import { kindOf, kindText, originsAt, type OriginView, viewOf } from './origin-views.ts';
import type { Tx } from './transaction.ts';

type Reads = Pick<Tx, 'peek' | 'around'>;

/** As records lead there. `check`: the owner of the check; '' for none. */
interface Lead {
  readonly host: string;
  readonly group: string;
  readonly check: string;
}

/** What leads to the same host of a zone is looked for once. */
export function ruleOrigins(tx: Reads): (zone: string, rule: L4Rule) => OriginView[] {
  const hosts = new Map<string, ReadonlyMap<string, readonly OriginView[]>>();
  function at(zone: string, host: string): ReadonlyMap<string, readonly OriginView[]> {
    const place = `${zone} ${host}`;
    const known = hosts.get(place) ?? Map.groupBy(originsAt(tx, zone, [host]).map(viewOf), kindOf);
    hosts.set(place, known);
    return known;
  }
  return (zone, rule) => leadsOf(rule, zone, tx).flatMap((lead) => at(zone, lead.host).get(kindFor(rule, lead)) ?? []);
}

function leadsOf({ id, checker, originType, originValue }: L4Rule, zone: string, tx: Reads): Lead[] {
  const asking: Asking[] = [{ owner: id, checker }];
  const [named = ''] = originValue;
  if (originType === 'IP_DOMAIN') return originValue.map((host) => ({ host, group: '', check: ownerOf(asking) }));
  if (originType === 'ORIGIN_GROUP') return leadsOfGroup(named, asking, zone, tx);
  const balancer = tx.peek(keys.loadBalancer(zone, named));
  const groups = new Set(balancer?.groups.map(({ group }) => group));
  return [...groups].flatMap((group) =>
    leadsOfGroup(group, [...asking, { owner: named, checker: balancer?.checker }], zone, tx),
  );
}

function leadsOfGroup(id: string, asking: readonly Asking[], zone: string, tx: Reads): Lead[] {
  const group = tx.peek(keys.originGroup(zone, id));
  const check = ownerOf([...asking, { owner: id, checker: group?.checker }]);
  return (group?.records ?? []).map(({ host }) => ({ host, group: id, check }));
}

/** '' for none. */
function ownerOf(asking: readonly Asking[]): string {
  const { owner = '', checker } = firstAsking(asking) ?? {};
  return checker?.type === 'NoCheck' ? '' : owner;
}

function kindFor({ protocol, originPortRange, options }: L4Rule, { group, check }: Lead): string {
  const span = parsePortSpan(originPortRange);
  const { passive, slowStartSeconds } = careOf(options);
  return kindText({ protocol, ports: span ? formatPortSpan(span) : '', group, check, passive, slowStartSeconds });
}
