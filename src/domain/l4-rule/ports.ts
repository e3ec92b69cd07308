/**
 * The ports of a rule: reading them, mapping them to the origin's, and finding two rules that want the same one. Pure.
 *
 * limit: every port from 1 to 65535 is allowed. The cloud keeps a few numbers and everything from 65000 up for its own
 * nodes (from memory, unpublished for this API); here the entry addresses belong to the operator, and what the host does
 * not let go shows as a rule that failed, with the system's reason. TURN and RTP ranges need the upper end.
 */
import { type Fault, refuse } from '../../faults/fault.ts';
import { formatPortSpan, parsePortSpan, type PortSpan, spanSize } from '../../lib/net/ports.ts';
import type { L4Rule } from './l4-rule.ts';
import type { Protocol } from './modes.ts';

type PortCode =
  | 'InvalidParameter.RulePortInteger'
  | 'InvalidParameter.RulePortGroup'
  | 'InvalidParameter.RuleOriginPortInteger';

/**
 * Why the ports can't be what was written; `undefined` where they can. `where` names the rule in the request. One origin
 * port takes every forwarding port; a range of them is as long as all elements of PortRange together and is mapped by
 * offset, elements in the order written (plan/plan.ts, originPorts).
 */
export function portFault(
  rule: Pick<L4Rule, 'portRange' | 'originPortRange'>,
  where: string,
): Fault<PortCode> | undefined {
  const bad = rule.portRange.find((text) => parsePortSpan(text) === undefined);
  if (bad !== undefined) {
    const code = bad.includes('-') ? 'InvalidParameter.RulePortGroup' : 'InvalidParameter.RulePortInteger';
    return refuse(code, `${where}.PortRange: \`${bad}\` is not a port such as 80 or an ascending range such as 81-85.`);
  }
  const origin = parsePortSpan(rule.originPortRange);
  if (!origin) {
    const detail = `${where}.OriginPortRange: \`${rule.originPortRange}\` is not a port such as 80 or a range such as 81-85.`;
    return refuse('InvalidParameter.RuleOriginPortInteger', detail);
  }
  const width = spansOf(rule).reduce((sum, span) => sum + spanSize(span), 0);
  if (spanSize(origin) === 1 || spanSize(origin) === width) return undefined;
  const detail = `${where}: PortRange has ${width} ports, OriginPortRange ${spanSize(origin)}; give one origin port, or as many.`;
  return refuse('InvalidParameter.RulePortGroup', detail);
}

/** The ports in the order written. Texts that can't be read are skipped; portFault has refused them. */
export function spansOf(rule: Pick<L4Rule, 'portRange'>): PortSpan[] {
  return rule.portRange.flatMap((text) => parsePortSpan(text) ?? []);
}

/** One span that one rule holds. */
interface Use {
  readonly rule: string;
  readonly protocol: Protocol;
  readonly span: PortSpan;
}

type PortHolder = Pick<L4Rule, 'id' | 'protocol' | 'portRange'>;

/** How a caller knows a rule: by its id, or where the id is not told yet by its place in the request. */
export type NameRule = (id: string) => string;

/** The ports that two rules both want, as a sentence; `undefined` where no two do. A rule may also clash with itself. */
export function portClash(rules: readonly PortHolder[], nameOf: NameRule = (id) => id): string | undefined {
  const uses = rules.flatMap((rule): Use[] =>
    spansOf(rule).map((span) => ({ rule: rule.id, protocol: rule.protocol, span })),
  );
  uses.sort((a, b) => (a.protocol === b.protocol ? a.span.from - b.span.from : a.protocol < b.protocol ? -1 : 1));
  for (const [i, use] of uses.entries()) {
    const before = uses[i - 1];
    if (before?.protocol === use.protocol && use.span.from <= before.span.to) return clashText(before, use, nameOf);
  }
  return undefined;
}

function clashText(a: Use, b: Use, nameOf: NameRule): string {
  const both = formatPortSpan({ from: b.span.from, to: Math.min(a.span.to, b.span.to) });
  return `${a.protocol} ${both} is wanted by ${a.rule === b.rule ? `${nameOf(a.rule)} twice` : `${nameOf(a.rule)} and ${nameOf(b.rule)}`}.`;
}
