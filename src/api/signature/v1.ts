/**
 * The older signature (HmacSHA1, HmacSHA256) over the decoded, sorted parameters of a query string or form. Pure; called
 * by parse.ts. Source: spec section 1.4.
 */
import { createHmac } from 'node:crypto';
import type { Claim, RawRequest } from '../call.ts';
import type { Form } from '../steps/form.ts';
import { equalText, signedHosts, signedPaths } from './signed.ts';

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
  // wire: Ruby's Base64 ends in a newline.
  const signature = (form.get('Signature') ?? '').trim();
  // limit: only once the key is known, and once: sorting thousands of parameters costs milliseconds.
  let spelled: Buffer | undefined;
  const spell = (): Buffer => (spelled ??= sourceParameters([...form]));
  return {
    secretId: form.get('SecretId') ?? '',
    get coversCall() {
      return namesOneAction(String(spell()));
    },
    holds(secretKey) {
      const places = signedPaths(raw).flatMap((path) => signedHosts(raw).map((host) => `${raw.method}${host}${path}?`));
      const isSigned = (parameters: Buffer): boolean =>
        places.some((place) =>
          equalText(signature, createHmac(hash, secretKey).update(place).update(parameters).digest('base64')),
        );
      return isSigned(spell()) || (hasUnderscore(form) && isSigned(sourceParameters(dotted(form))));
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

type Pair = readonly [name: string, value: string];

/** As bytes: they are hashed for several hosts. */
function sourceParameters(pairs: readonly Pair[]): Buffer {
  const sorted = pairs.filter(([name]) => name !== 'Signature').sort(([a], [b]) => (a < b ? -1 : 1));
  return Buffer.from(sorted.map(([name, value]) => `${name}=${value}`).join('&'));
}

function hasUnderscore(form: Form): boolean {
  return form.keys().some((name) => name.includes('_'));
}

/** wire: Python writes `.` for `_` in names, in the signed text only. */
function dotted(form: Form): Pair[] {
  return [...form].map(([name, value]) => [name.replaceAll('_', '.'), value]);
}
