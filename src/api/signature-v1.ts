/**
 * The older signature (HmacSHA1, HmacSHA256) over the decoded, sorted parameters of a query string or form. Pure; called
 * by parse.ts. Source: spec section 1.4.
 */
import { createHmac } from 'node:crypto';
import type { Claim, RawRequest } from './call.ts';
import type { Form } from './form.ts';
import { equalText, signedHosts } from './signed.ts';

/** wire: no SignatureMethod means HmacSHA1; capi leaves it out. */
const HASHES: ReadonlyMap<string, string> = new Map([
  ['HmacSHA256', 'sha256'],
  ['HmacSHA1', 'sha1'],
  ['', 'sha1'],
]);

/** undefined where the SignatureMethod is none of ours. */
export function v1Claim(raw: RawRequest, form: Form): Claim | undefined {
  const hash = HASHES.get(form.get('SignatureMethod') ?? '');
  if (hash === undefined) return undefined;
  const signature = form.get('Signature') ?? '';
  return {
    secretId: form.get('SecretId') ?? '',
    coversCall: namesOneAction(sourceParameters(form, false)),
    holds(secretKey) {
      const spellings = new Set([sourceParameters(form, false), sourceParameters(form, true)]);
      return signedHosts(raw).some((host) =>
        [...spellings].some((parameters) => {
          const source = `${raw.method}${host}/?${parameters}`;
          return equalText(signature, createHmac(hash, secretKey).update(source).digest('base64'));
        }),
      );
    },
  };
}

/**
 * The signed text joins decoded values, so it can be cut into parameters in more ways than one. The action is the same
 * in all of them where only one place can begin it.
 */
function namesOneAction(source: string): boolean {
  return source.match(/(?:^|&)Action=/g)?.length === 1;
}

/** wire: Python writes `.` for `_` in names, in the signed text only. */
function sourceParameters(form: Form, dotted: boolean): string {
  const pairs: [name: string, value: string][] = [];
  for (const [name, value] of form) {
    if (name !== 'Signature') pairs.push([dotted ? name.replaceAll('_', '.') : name, value]);
  }
  pairs.sort(([a], [b]) => (a < b ? -1 : 1));
  return pairs.map(([name, value]) => `${name}=${value}`).join('&');
}
