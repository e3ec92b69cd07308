/** The answer of EdgeFourDescribeOrigins for a person: a table for each group, with reasons of what is not up. Pure. */
import type { EdgeFourDescribeOrigins } from '../../api/actions/edgefour/EdgeFourDescribeOrigins.ts';
import type { Infer } from '../../shape/shape.ts';
import { table } from './table.ts';
import { spanText } from './times.ts';
import { wrapped } from './wrap.ts';

export type Origin = Infer<typeof EdgeFourDescribeOrigins.response>['Origins'][number];

/** limit: what 80 columns leave; a longer origin has a line of its own. */
const WIDEST = 24;
/** limit: edges named for one origin. */
const NAMED = 3;
const HEAD = ['ORIGIN', 'STATE', 'SINCE', 'BY', 'TRIES', 'PROBE MS', 'DIALS', 'SHARE'];

/** `now`: milliseconds since 1970. */
export function originsText(origins: readonly Origin[], now: number): string {
  if (origins.length === 0)
    return 'No edge has told of such an origin yet: rules lead to none, or their names have no address.\n';
  const zones = new Set(origins.map(({ ZoneId }) => ZoneId));
  const groups = Map.groupBy(origins, (origin) => headline(origin, zones.size > 1));
  const ill = origins.filter(({ State }) => State !== 'up').length;
  const sum = `${origins.length} origin${origins.length === 1 ? '' : 's'}, ${ill === 0 ? 'all up' : `${ill} not up`}\n`;
  return [...groups.entries().map(([line, its]) => `${line}\n${rowsOf(its, now)}`), sum].join('\n');
}

function headline({ ZoneId, OriginGroupId, CheckedFor }: Origin, isZoneNamed: boolean): string {
  const group = OriginGroupId === '' ? 'named by rules' : OriginGroupId;
  const check =
    CheckedFor === '' ? 'not checked' : CheckedFor === OriginGroupId ? 'checked' : `checked for ${CheckedFor}`;
  return `${group}, ${check}${isZoneNamed ? ` (${ZoneId})` : ''}`;
}

function rowsOf(origins: readonly Origin[], now: number): string {
  const isLong = ({ Origin }: Origin): boolean => Origin.length > WIDEST;
  const rows = origins.map((origin) => [isLong(origin) ? '' : origin.Origin, ...cells(origin, now)]);
  const [head = '', ...lines] = table(HEAD, rows).split('\n');
  const texts = origins.map((origin, i) => {
    const long = isLong(origin) ? `${origin.Origin}\n` : '';
    const more = remarks(origin, now).map((remark) => wrapped(remark, '  '));
    return `${long}${lines[i] ?? ''}\n${more.join('')}`;
  });
  return `${head}\n${texts.join('')}`;
}

function cells({ State, SinceTime, By, CheckedFor, Probes, Dials, Share }: Origin, now: number): string[] {
  return [
    State,
    Date.parse(SinceTime) > 0 ? since(SinceTime, now) : '-',
    // What nobody has checked is up by nobody's word.
    By === 'probe' && CheckedFor === '' ? '-' : By,
    Probes ? short(Probes.Tries) : '-',
    Probes ? `${milliseconds(Probes.P50Ms)}/${milliseconds(Probes.P99Ms)}` : '-',
    short(Dials),
    Share === undefined ? '-' : `${Share} %`,
  ];
}

function remarks(
  { Origin, Host, State, By, Reason, ByHand, EdgeCount, UpCount, Edges }: Origin,
  now: number,
): string[] {
  const isName = !Origin.includes(Host);
  const set = ByHand && `${ByHand.State === 'up' ? 'held up' : 'drained'} by hand`;
  const until = ByHand?.UntilTime === undefined ? '' : ` for ${spanText(Date.parse(ByHand.UntilTime) - now)} more`;
  const ill = Edges.filter((edge) => edge.State !== 'up').slice(0, NAMED);
  const more = EdgeCount - UpCount - ill.length;
  const atEdges = ill.map(
    (edge) =>
      `${edge.EdgeId} (${edge.Site}): ${edge.State}, ${edge.Reason} (${edge.By}, ${since(edge.SinceTime, now)})`,
  );
  return [
    ...(isName ? [`of ${Host}`] : []),
    ...(Edges[0]?.Alive === false ? ['as it was told last: none of its edges is alive'] : []),
    ...(set ? [set + until] : []),
    ...(State === 'mixed' ? [`up at ${UpCount} of ${EdgeCount} edges`, ...atEdges] : []),
    ...(State === 'mixed' && more > 0 ? [`and ${more} more`] : []),
    ...(State === 'up' || State === 'mixed' || (set && By === 'operator') ? [] : [Reason]),
  ];
}

function since(time: string, now: number): string {
  return spanText(now - Date.parse(time));
}

/** At most four characters: 0.04, 3.1, 5000, 60s. */
function milliseconds(ms: number): string {
  if (ms >= 9_999) return `${Math.round(ms / 1_000)}s`;
  return String(ms < 1 ? Math.round(ms * 100) / 100 : ms < 10 ? Math.round(ms * 10) / 10 : Math.round(ms));
}

const UNITS = ['', 'k', 'M', 'G', 'T'];

/** At most five characters: 99999, 123k, 12M. */
function short(count: number): string {
  let unit = 0;
  let left = count;
  for (; left > 99_999 || (unit > 0 && left > 999); unit++) left = Math.floor(left / 1_000);
  return `${left}${UNITS[unit] ?? ''}`;
}
