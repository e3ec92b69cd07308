/** The answer of EdgeFourDescribeStatus for a person. Pure. */
import type { Status } from './status.ts';
import { table } from './table.ts';

export function statusText({ Alarms: own, Edges, Instances }: Status): string {
  const edges = table(
    ['EDGE', 'SITE', 'STATE', 'REVISION', 'ENGINES', 'VERSION'],
    Edges.map((edge) => [
      edge.EdgeId,
      edge.Site,
      edge.Alive ? 'alive' : `silent since ${edge.SeenTime}`,
      String(edge.AppliedRevision),
      edge.Engines.join(', ') || '-',
      edge.Version,
    ]),
  );
  const alarms = Edges.flatMap(({ EdgeId, Alarms }) => Alarms.map((alarm) => `! ${EdgeId}: ${alarm}\n`)).join('');
  const ofControl = own.map((alarm) => `! control: ${alarm}\n`).join('');
  const parts = [
    ofControl + (Edges.length === 0 ? 'No edge has joined yet.\n' : edges + alarms),
    ...Instances.map(instance),
  ];
  return [...parts, ...(Instances.length === 0 ? ['No instance yet: `edgefour api CreateL4Proxy --help`\n'] : [])].join(
    '\n',
  );
}

type Instance = Status['Instances'][number];

function instance(one: Instance): string {
  const entries = one.Entries.map(({ Addresses }) => Addresses.join(', ')).join(', ');
  const head = `${one.ProxyName}  ${one.ProxyId}  ${one.Status}  ${entries || 'no entry address'}  (${one.Area}, ${one.ZoneId})\n`;
  const notes = [...one.Failures, ...one.Notes].map((note) => `  ! ${note}\n`).join('');
  if (one.Rules.length === 0) return `${head}${notes}  no rules\n`;
  const rules = table(['  RULE', 'PROTOCOL', 'PORTS', 'STATE', 'ENGINE', 'WHY'], one.Rules.map(rule));
  return head + notes + rules;
}

function rule({
  RuleId,
  RuleTag,
  Protocol,
  PortRange,
  Status,
  Placements,
  Failures,
}: Instance['Rules'][number]): string[] {
  const engines = [...new Set(Placements.map(({ Engine }) => Engine).filter((engine) => engine !== ''))];
  const whys = [...new Set(Placements.map(({ Why }) => Why).filter((why) => why !== ''))];
  const names = [...new Set(Placements.flatMap(({ Unresolved }) => Unresolved))];
  const lost = names.length > 0 ? [`origin name does not resolve: ${names.join(', ')}`] : [];
  const why = (Failures.length > 0 ? Failures : [...lost, ...whys]).join('; ');
  const name = RuleTag === '' ? RuleId : `${RuleId} (${RuleTag})`;
  return [`  ${name}`, Protocol, PortRange.join(','), Status, engines.join(',') || '-', why || '-'];
}
