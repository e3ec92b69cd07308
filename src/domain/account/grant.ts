/**
 * Whether policies grant more than their giver has; a key can't hand on a right that it lacks. Patterns are compared with
 * patterns, and where that is not certain the answer is that it is more. Pure; called where keys and policies are made.
 */
import type { PolicyDocument } from './account.ts';
import { actionPattern, matches, zonePattern } from './permission.ts';

/** One action pattern on one resource pattern. */
interface Right {
  readonly effect: 'allow' | 'deny';
  readonly action: string;
  readonly path: string;
}

/** limit: rights on either side, and characters of their patterns: compared in some 30 ms. Usual policies have ten rights. */
const MOST_RIGHTS = 200;
const MOST_TEXT = 16_000;

/** The first thing granted that the giver has not, as `action on resource`; undefined where there is none. */
export function beyond(
  granted: readonly PolicyDocument[],
  own: readonly PolicyDocument[],
  account: string,
): string | undefined {
  const given = rightsOf(granted, account);
  const had = rightsOf(own, account);
  if (!given || !had) return `more than ${MOST_RIGHTS} pairs of action and resource are not compared`;
  const denied = given.filter(isDeny);
  const allowed = had.filter((own) => !isDeny(own));
  // Denied to the giver, but not to the taker.
  const lost = had.filter((own) => isDeny(own) && !denied.some((deny) => includes(deny, own)));
  const has = (right: Right): boolean =>
    allowed.some((own) => includes(own, right)) && !lost.some((own) => mayMeet(own, right));
  const more = given.find((right) => !isDeny(right) && !denied.some((deny) => includes(deny, right)) && !has(right));
  return more && `${more.action} on ${more.path}`;
}

/**
 * What a new version of a policy grants to the keys that name it: what it allows, and what the old one denied and it
 * does not.
 */
export function replacement(next: PolicyDocument, before: PolicyDocument | undefined, account: string): PolicyDocument {
  const denied = rightsOf([next], account)?.filter(isDeny) ?? [];
  const freed = (before?.statement ?? []).filter(
    (statement) =>
      statement.effect === 'deny' &&
      !rightsOf([{ version: '2.0', statement: [statement] }], account)?.every((right) =>
        denied.some((deny) => includes(deny, right)),
      ),
  );
  return {
    ...next,
    statement: [...next.statement, ...freed.map((statement) => ({ ...statement, effect: 'allow' as const }))],
  };
}

const isDeny = ({ effect }: Right): boolean => effect === 'deny';

/** Undefined where there are too many to compare. */
function rightsOf(documents: readonly PolicyDocument[], account: string): Right[] | undefined {
  const rights = new Map<string, Right>();
  let text = 0;
  for (const { effect, action: actions, resource: resources } of documents.flatMap(({ statement }) => statement)) {
    const paths = new Set(resources.flatMap((resource) => zonePattern(resource, account) ?? []));
    for (const action of new Set(actions.map(actionPattern)))
      for (const path of paths) {
        rights.set(`${effect} ${action} ${path}`, { effect, action, path });
        text += action.length + path.length;
        if (rights.size > MOST_RIGHTS || text > MOST_TEXT) return undefined;
      }
  }
  return [...rights.values()];
}

/** A `*` of the inner pattern is a character that only a `*` of the outer one takes. */
function includes(outer: Right, inner: Right): boolean {
  return matches(outer.action, inner.action) && matches(outer.path, inner.path);
}

function mayMeet(a: Right, b: Right): boolean {
  return mayOverlap(a.action, b.action) && mayOverlap(a.path, b.path);
}

/** False only where the texts before the first `*`, or those behind the last one, can't be of one text. */
function mayOverlap(a: string, b: string): boolean {
  const [headA = '', headB = ''] = [a.split('*', 1)[0], b.split('*', 1)[0]];
  const tailA = a.slice(a.lastIndexOf('*') + 1);
  const tailB = b.slice(b.lastIndexOf('*') + 1);
  return (headA.startsWith(headB) || headB.startsWith(headA)) && (tailA.endsWith(tailB) || tailB.endsWith(tailA));
}
