/**
 * TC3-HMAC-SHA256: reads the Authorization header and verifies it over the request's raw bytes. Tolerant exactly where
 * the official clients differ (the host they sign, the service in the scope, the case of header values), strict
 * elsewhere. Pure; called by parse.ts. Source: spec sections 1.3 and 1.5.
 */
import { createHash, createHmac } from 'node:crypto';
import { BUDGETS } from '../../config/budgets.ts';
import { type Claim, header, type RawRequest } from '../call.ts';
import { OverBudget } from '../over-budget.ts';
import { equalText, signedHosts, signedPaths } from './signed.ts';

/** limit: scope, header list and signature of every official client stay under 300 characters, signed names under three. */
const MAX_LENGTH = 4096;
const ALGORITHM = 'TC3-HMAC-SHA256';
const UNSIGNED = 'UNSIGNED-PAYLOAD';

interface Authorization {
  readonly secretId: string;
  readonly date: string;
  readonly service: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
}

/** undefined where the header cannot be read, which is `AuthFailure.InvalidAuthorization`. */
export function tc3Claim(raw: RawRequest, authorizationText: string, timestamp: string): Claim | undefined {
  const authorization = parseAuthorization(authorizationText);
  if (!authorization) return undefined;
  return {
    secretId: authorization.secretId,
    coversCall: authorization.signedHeaders.includes('x-tc-action') && !isUnsigned(raw),
    holds: (secretKey) => verify(raw, authorization, timestamp, secretKey),
  };
}

/** Throws OverBudget. A name twice is refused: each would bring its header's value into the signed text once more. */
export function parseAuthorization(text: string): Authorization | undefined {
  if (text.length > MAX_LENGTH || !text.startsWith(`${ALGORITHM} `)) return undefined;
  const parts = new Map<string, string>();
  for (const part of text.slice(ALGORITHM.length).split(',')) {
    const at = part.indexOf('=');
    if (at < 0) return undefined;
    parts.set(part.slice(0, at).trim(), part.slice(at + 1).trim());
  }
  const [secretId, date, ...scope] = parts.get('Credential')?.split('/') ?? [];
  const signedHeaders = parts.get('SignedHeaders')?.toLowerCase().split(';') ?? [];
  const signature = parts.get('Signature');
  if (!secretId || !date || !signature || scope.pop() !== 'tc3_request') return undefined;
  if (signedHeaders.length > BUDGETS['signed-headers'].most)
    throw new OverBudget('signed-headers', 'AuthFailure.InvalidAuthorization');
  if (new Set(signedHeaders).size < signedHeaders.length) return undefined;
  if (!signedHeaders.includes('content-type') || !signedHeaders.includes('host')) return undefined;
  // wire: Node signs the text before the endpoint's first dot as the service: `127`, `localhost:7400`.
  return { secretId, date, service: scope.join('/'), signedHeaders, signature };
}

function verify(raw: RawRequest, authorization: Authorization, timestamp: string, secretKey: string): boolean {
  const { date, service, signature } = authorization;
  if (date !== new Date(Number(timestamp) * 1000).toISOString().slice(0, 10)) return false;
  const key = hmac(hmac(hmac(`TC3${secretKey}`, date), service), 'tc3_request');
  for (const canonical of canonicalHashes(raw, authorization.signedHeaders)) {
    const toSign = [ALGORITHM, timestamp, `${date}/${service}/tc3_request`, canonical].join('\n');
    if (equalText(signature, createHmac('sha256', key).update(toSign).digest('hex'))) return true;
  }
  return false;
}

/**
 * Hashes of every canonical request an official client may have signed for what was received; the first or second is it.
 * limit: the text is never put together; it may be as long as all headers are, and each reading is hashed only when the
 * ones before did not hold.
 */
function* canonicalHashes(raw: RawRequest, signedHeaders: readonly string[]): Generator<string> {
  const at = raw.url.indexOf('?');
  const query = raw.method === 'GET' && at >= 0 ? raw.url.slice(at + 1) : '';
  const payload = sha256(isUnsigned(raw) ? UNSIGNED : raw.method === 'GET' ? '' : raw.body);
  const sent = signedHeaders.map((name) => (header(raw, name) ?? '').trim());
  // wire: the documentation's own sample signs values in lower case; no SDK does.
  const lower = sent.map((value) => value.toLowerCase());
  const readings = lower.every((value, index) => value === sent[index]) ? [sent] : [sent, lower];
  for (const path of signedPaths(raw)) {
    for (const host of signedHosts(raw)) {
      for (const values of readings) {
        const hash = createHash('sha256').update(`${raw.method}\n${path}\n${query}\n`);
        for (const [index, name] of signedHeaders.entries()) {
          hash.update(`${name}:`).update(name === 'host' ? host : (values[index] ?? ''));
          hash.update('\n');
        }
        yield hash.update(`\n${signedHeaders.join(';')}\n${payload}`).digest('hex');
      }
    }
  }
}

function isUnsigned(raw: RawRequest): boolean {
  return header(raw, 'x-tc-content-sha256')?.trim() === UNSIGNED;
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}
