/**
 * TC3-HMAC-SHA256: reads the Authorization header and verifies it over the request's raw bytes. Tolerant exactly where
 * the official clients differ (the host they sign, the service in the scope, the case of header values), strict
 * elsewhere. Pure; called by parse.ts. Source: spec sections 1.3 and 1.5.
 */
import { createHash, createHmac } from 'node:crypto';
import { type Claim, header, type RawRequest } from './call.ts';
import { equalText, signedHosts } from './signed.ts';

/** limit: scope, header list and signature of every official client stay under 300 characters. */
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
  if (!signedHeaders.includes('content-type') || !signedHeaders.includes('host')) return undefined;
  // wire: Node signs the text before the endpoint's first dot as the service: `127`, `localhost:7400`.
  return { secretId, date, service: scope.join('/'), signedHeaders, signature };
}

function verify(raw: RawRequest, authorization: Authorization, timestamp: string, secretKey: string): boolean {
  const { date, service, signature } = authorization;
  if (date !== new Date(Number(timestamp) * 1000).toISOString().slice(0, 10)) return false;
  const key = hmac(hmac(hmac(`TC3${secretKey}`, date), service), 'tc3_request');
  return canonicalRequests(raw, authorization.signedHeaders).some((canonical) => {
    const toSign = [ALGORITHM, timestamp, `${date}/${service}/tc3_request`, sha256(canonical)].join('\n');
    return equalText(signature, createHmac('sha256', key).update(toSign).digest('hex'));
  });
}

/** Every canonical request an official client may have signed for what was received; usually one or two. */
function canonicalRequests(raw: RawRequest, signedHeaders: readonly string[]): string[] {
  const at = raw.url.indexOf('?');
  const query = raw.method === 'GET' && at >= 0 ? raw.url.slice(at + 1) : '';
  const payload = sha256(isUnsigned(raw) ? UNSIGNED : raw.method === 'GET' ? '' : raw.body);
  const requests = signedHosts(raw).flatMap((host) =>
    [asSent, lowerCased].map((form) => {
      const lines = signedHeaders.map((name) => `${name}:${name === 'host' ? host : form(header(raw, name) ?? '')}\n`);
      return [raw.method, '/', query, lines.join(''), signedHeaders.join(';'), payload].join('\n');
    }),
  );
  return [...new Set(requests)];
}

function isUnsigned(raw: RawRequest): boolean {
  return header(raw, 'x-tc-content-sha256')?.trim() === UNSIGNED;
}

const asSent = (value: string): string => value.trim();
/** wire: the documentation's own sample signs values in lower case; no SDK does. */
const lowerCased = (value: string): string => value.trim().toLowerCase();

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}
