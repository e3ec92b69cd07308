/**
 * Signs a call as an official client does, TC3-HMAC-SHA256 over a JSON POST, and the action's name with it, which the
 * cloud's clients leave open. Source: spec section 1.3. Pure.
 */
import { createHash, createHmac } from 'node:crypto';

interface Unsigned {
  readonly host: string;
  readonly service: string;
  readonly version: string;
  readonly action: string;
  readonly body: string;
  /** Milliseconds since 1970. */
  readonly now: number;
}

export interface Pair {
  readonly secretId: string;
  readonly secretKey: string;
}

const SIGNED_HEADERS = 'content-type;host;x-tc-action';

export function signedHeaders(call: Unsigned, pair: Pair): Record<string, string> {
  const timestamp = Math.floor(call.now / 1_000);
  const date = new Date(timestamp * 1_000).toISOString().slice(0, 10);
  const type = 'application/json';
  const scope = `${date}/${call.service}/tc3_request`;
  const canonical = [
    'POST',
    '/',
    '',
    `content-type:${type}`,
    `host:${call.host}`,
    `x-tc-action:${call.action}`,
    '',
    SIGNED_HEADERS,
    hash(call.body),
  ];
  const toSign = ['TC3-HMAC-SHA256', timestamp, scope, hash(canonical.join('\n'))].join('\n');
  const key = [date, call.service, 'tc3_request'].reduce<string | Buffer>(hmac, `TC3${pair.secretKey}`);
  const signature = hmac(key, toSign).toString('hex');
  return {
    authorization: `TC3-HMAC-SHA256 Credential=${pair.secretId}/${scope}, SignedHeaders=${SIGNED_HEADERS}, Signature=${signature}`,
    'content-type': type,
    host: call.host,
    'x-tc-action': call.action,
    'x-tc-version': call.version,
    'x-tc-timestamp': String(timestamp),
    'x-tc-language': 'en-US',
    'x-tc-requestclient': 'edgefour-cli',
  };
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
