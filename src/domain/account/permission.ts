/**
 * Whether policies allow an action on its resources: a deny wins, and what nothing allows is refused. Pure; called by
 * the pipeline for every caller but root.
 */
import type { PolicyDocument, PolicyStatement } from './account.ts';

/** The call to permit. */
interface Wish {
  /** `teo:CreateL4Proxy`. */
  readonly action: string;
  readonly account: string;
  /** The zones it touches; none: it is about the account itself and needs a policy for all of it. */
  readonly zones: readonly string[] | 'every';
}

/** The first resource (in the cloud's six parts) that is not allowed, or undefined where all are. */
export function refusedResource(documents: readonly PolicyDocument[], wish: Wish): string | undefined {
  const statements = documents
    .flatMap((document) => document.statement)
    .filter((statement) => coversAction(statement, wish));
  const named = wish.zones === 'every' ? [] : wish.zones.map((zone) => `zone/${zone}`);
  const resources = (named.length > 0 ? named : ['*']).map((path) => `qcs::teo::uin/${wish.account}:${path}`);
  const refused = resources.find((resource) => {
    const applying = statements.filter((statement) => coversResource(statement, resource, wish.account));
    return applying.length === 0 || applying.some((statement) => statement.effect === 'deny');
  });
  if (refused !== undefined || wish.zones !== 'every') return refused;
  const denies = statements.filter((statement) => statement.effect === 'deny');
  return denies.flatMap(({ resource }) => resource).find((pattern) => zonePattern(pattern, wish.account) !== undefined);
}

/** The same asked of many zones one by one: a list has thousands, so what they share is worked out once. */
export function allowedZones(
  documents: readonly PolicyDocument[],
  wish: Omit<Wish, 'zones'>,
): (zone: string) => boolean {
  const statements = documents
    .flatMap((document) => document.statement)
    .filter((statement) => coversAction(statement, wish));
  const pathsOf = (effect: PolicyStatement['effect']): string[] => {
    const resources = statements.filter((statement) => statement.effect === effect).flatMap(({ resource }) => resource);
    return [...new Set(resources.flatMap((pattern) => zonePattern(pattern, wish.account) ?? []))];
  };
  const allowed = pathsOf('allow');
  const denied = pathsOf('deny');
  return (zone) => {
    const covers = (pattern: string): boolean => matches(pattern, `zone/${zone}`);
    return allowed.some(covers) && !denied.some(covers);
  };
}

/** Whether the action is allowed on anything at all: enough for a list, which leaves out what is not allowed. */
export function allowsSome(documents: readonly PolicyDocument[], wish: Omit<Wish, 'zones'>): boolean {
  const statements = documents
    .flatMap((document) => document.statement)
    .filter((statement) => coversAction(statement, wish));
  const all = (effect: PolicyStatement['effect']) => statements.filter((statement) => statement.effect === effect);
  const about = ({ resource }: PolicyStatement) =>
    resource.map((pattern) => zonePattern(pattern, wish.account)).filter((path) => path !== undefined);
  return (
    all('allow').some((statement) => about(statement).length > 0) &&
    !all('deny').some((statement) => about(statement).includes('*'))
  );
}

/** Action names are matched without case, and with or without CAM's `name/` in front. */
function coversAction(statement: PolicyStatement, wish: Pick<Wish, 'action'>): boolean {
  const action = wish.action.toLowerCase();
  return statement.action.some((pattern) => matches(actionPattern(pattern), action));
}

export function actionPattern(pattern: string): string {
  return pattern.toLowerCase().replace(/^name\//, '');
}

function coversResource(statement: PolicyStatement, resource: string, account: string): boolean {
  return statement.resource.some((pattern) => pattern === '*' || matchesResource(pattern, resource, account));
}

/** Compared part by part. An empty service, region or project means any, an empty account the caller's own. */
function matchesResource(pattern: string, resource: string, account: string): boolean {
  const wanted = resource.split(':');
  const parts = pattern.split(':');
  if (wanted.length !== parts.length) return false;
  return parts.every((part, index) => {
    const actual = wanted[index] ?? '';
    if (index === ACCOUNT) return matches(/^(uin\/)?$/.test(part) ? `uin/${account}` : part, actual);
    return (part === '' && index < ACCOUNT) || actual === '' || matches(part, actual);
  });
}
/** The place of the account in `qcs:project:service:region:account:resource`. */
const ACCOUNT = 4;

/** A resource pattern's zones (`*`, `zone/zone-1`); undefined where it is about another account or product. */
export function zonePattern(pattern: string, account: string): string | undefined {
  if (pattern === '*') return '*';
  const path = pattern
    .split(':')
    .slice(ACCOUNT + 1)
    .join(':');
  const product = [...pattern.split(':', ACCOUNT + 1), '*'].join(':');
  return matchesResource(product, `qcs::teo::uin/${account}:`, account) ? path : undefined;
}

/** `*` stands for any run of characters. Linear: each `*` only ever moves forward. */
export function matches(pattern: string, text: string): boolean {
  const [head = '', ...rest] = pattern.split('*');
  const tail = rest.pop();
  if (tail === undefined) return pattern === text;
  if (!text.startsWith(head) || text.length < head.length + tail.length || !text.endsWith(tail)) return false;
  let at = head.length;
  for (const part of rest) {
    const found = text.indexOf(part, at);
    if (found < 0 || found + part.length > text.length - tail.length) return false;
    at = found + part.length;
  }
  return true;
}
