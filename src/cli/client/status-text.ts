/** The answer of EdgeFourDescribeStatus for a person. Pure. */
import type { Status } from './status.ts';
import { table } from './table.ts';
import { spanText } from './times.ts';
import { wrapped } from './wrap.ts';

/** `now`: milliseconds since 1970. */
export function statusText({ Alarms: own, Edges, Instances }: Status, now: number): string {
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
    ...Instances.map((one) => instance(one, now)),
  ];
  return [...parts, ...(Instances.length === 0 ? ['No instance yet: `edgefour api CreateL4Proxy --help`\n'] : [])].join(
    '\n',
  );
}

type Instance = Status['Instances'][number];
type Rule = Instance['Rules'][number];
/** limit: origins named under one rule. */
const NAMED = 2;

function instance(one: Instance, now: number): string {
  const entries = one.Entries.map(({ Addresses }) => Addresses.join(', ')).join(', ');
  const head = `${one.ProxyName}  ${one.ProxyId}  ${one.Status}  ${entries || 'no entry address'}  (${one.Area}, ${one.ZoneId})\n`;
  const notes = [...one.Failures, ...one.Notes].map((note) => `  ! ${note}\n`).join('');
  if (one.Rules.length === 0) return `${head}${notes}  no rules\n`;
  const rows = table(['  RULE', 'PROTOCOL', 'PORTS', 'STATE', 'ENGINE', 'WHY'], one.Rules.map(rule));
  const [titles = '', ...lines] = rows.split('\n');
  return `${head}${notes}${titles}\n${one.Rules.map((of, i) => `${lines[i] ?? ''}\n${origins(of, now)}`).join('')}`;
}

/** Nothing where all are up. */
function origins({ Origins }: Rule, now: number): string {
  if (!Origins || Origins.NotUp.length === 0) return '';
  const { Count, UpCount, NotUp } = Origins;
  const named = NotUp.slice(0, NAMED).map((one) => {
    const name = one.Origin.includes(one.Host) ? one.Host : `${one.Host} (${one.Origin})`;
    const where = one.State === 'mixed' ? ` at ${one.EdgeCount - one.UpCount} of ${one.EdgeCount} edges` : '';
    // What made it down is over; a connection finds out.
    const why = one.State === 'try' ? ', being tried' : `: ${one.Reason}`;
    return `${name} down${where}${why} (${one.By}, ${spanText(now - Date.parse(one.SinceTime))})`;
  });
  const more = Count - UpCount - named.length;
  const rest = more > 0 ? [`${more} more: edgefour origins`] : [];
  return wrapped(`${UpCount} of ${Count} origins up; ${[...named, ...rest].join('; ')}`, '    ');
}

function rule({ RuleId, RuleTag, Protocol, PortRange, Status, Placements, Failures }: Rule): string[] {
  const engines = [...new Set(Placements.map(({ Engine }) => Engine).filter((engine) => engine !== ''))];
  const whys = [...new Set(Placements.map(({ Why }) => Why).filter((why) => why !== ''))];
  const names = [...new Set(Placements.flatMap(({ Unresolved }) => Unresolved))];
  const lost = names.length > 0 ? [`origin name does not resolve: ${names.join(', ')}`] : [];
  const why = (Failures.length > 0 ? Failures : [...lost, ...whys]).join('; ');
  const name = RuleTag === '' ? RuleId : `${RuleId} (${RuleTag})`;
  return [`  ${name}`, Protocol, PortRange.join(','), Status, engines.join(',') || '-', why || '-'];
}
