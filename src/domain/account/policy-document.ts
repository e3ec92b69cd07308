/**
 * Reads a CAM policy document in the cloud's own JSON form. Refuses all that it would not enforce: a condition that is
 * silently ignored would allow more than its author wrote. Pure; called when a policy is put.
 */
import type { PolicyDocument, PolicyStatement } from './account.ts';

/** limit: the cloud's own for a document. */
const MAX_TEXT = 6144;
const MAX_STATEMENTS = 50;
const MAX_PATTERNS = 100;
const MAX_PATTERN = 256;

/** The checked document, or one sentence about what is wrong with it. */
type ReadPolicy = { readonly document: PolicyDocument } | { readonly wrong: string };

export function readPolicyDocument(text: string): ReadPolicy {
  if (text.length > MAX_TEXT) return { wrong: `A policy document has at most ${MAX_TEXT} characters.` };
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { wrong: 'The policy document is not valid JSON.' };
  }
  try {
    return { document: document(json) };
  } catch (error) {
    if (error instanceof Wrong) return { wrong: error.message };
    throw error;
  }
}

class Wrong extends Error {}

function document(json: unknown): PolicyDocument {
  const { version, statement } = members(json, 'The policy document', ['version', 'statement']);
  if (version !== '2.0') throw new Wrong('`version` must be "2.0".');
  const statements = Array.isArray(statement) ? statement : [statement];
  if (statements.length === 0 || statements.length > MAX_STATEMENTS) {
    throw new Wrong(`\`statement\` must have 1 to ${MAX_STATEMENTS} elements.`);
  }
  return { version, statement: statements.map(readStatement) };
}

function readStatement(json: unknown, index: number): PolicyStatement {
  const at = `\`statement.${index}\``;
  const { effect, action, resource } = members(json, at, ['effect', 'action', 'resource']);
  const word = typeof effect === 'string' ? effect.toLowerCase() : effect;
  if (word !== 'allow' && word !== 'deny') throw new Wrong(`${at}: \`effect\` must be "allow" or "deny".`);
  return {
    effect: word,
    action: patterns(action, `${at}: \`action\``, /^(\*|(name\/)?[a-z*]+:[A-Za-z0-9*]+)$/, 'teo:Describe*'),
    resource: patterns(resource, `${at}: \`resource\``, /^(\*|qcs:([^:]*:){4}[^:]+)$/, 'qcs::teo::uin/1:zone/zone-1'),
  };
}

function patterns(given: unknown, what: string, form: RegExp, like: string): string[] {
  const list: unknown[] = Array.isArray(given) ? given : [given];
  if (list.length === 0 || list.length > MAX_PATTERNS)
    throw new Wrong(`${what} must have 1 to ${MAX_PATTERNS} elements.`);
  return list.map((item) => {
    if (typeof item === 'string' && item.length <= MAX_PATTERN && form.test(item)) return item;
    throw new Wrong(`${what} must be "*" or look like "${like}", not ${JSON.stringify(item)?.slice(0, 80)}.`);
  });
}

function members(json: unknown, what: string, names: readonly string[]): Record<string, unknown> {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw new Wrong(`${what} must be an object.`);
  for (const name of Object.keys(json)) {
    if (!names.includes(name)) throw new Wrong(`${what} has \`${name.slice(0, 40)}\`, which is not supported here.`);
  }
  for (const name of names) if (!Object.hasOwn(json, name)) throw new Wrong(`${what} lacks \`${name}\`.`);
  return json as Record<string, unknown>;
}
