/**
 * A small client of our own: signs API calls the way the official SDKs do, both methods, with every deviation that
 * those SDKs have as an option. For tests that need control the SDKs don't give; written from the public description,
 * not from src/, so that the two check each other.
 */
import { createHash, createHmac } from 'node:crypto';
import type { RawRequest } from '../../src/api/call.ts';

export interface Identity {
  readonly secretId: string;
  readonly secretKey: string;
  readonly token?: string;
}

interface Signing {
  /** Unix seconds. */
  readonly timestamp: number;
  readonly version?: string;
  readonly host?: string;
  /** The host that goes into the signature; default the same. */
  readonly signedHost?: string;
  readonly language?: string;
  /** More headers, in lower case; they win. */
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Tc3Signing extends Signing {
  readonly method?: 'POST' | 'GET';
  readonly service?: string;
  readonly signedHeaders?: readonly string[];
  readonly unsignedPayload?: boolean;
  /** Sign header values in lower case, as the documentation's sample does. */
  readonly lowerCase?: boolean;
  /** The credential's date; default that of the timestamp. */
  readonly date?: string;
}

/** `payload`: an object becomes compact JSON; a text is sent as it is (the body, or the query of a GET). */
export function tc3(who: Identity, action: string, payload: unknown, how: Tc3Signing): RawRequest {
  const { method = 'POST', service = 'teo', host = '127.0.0.1:7400', unsignedPayload, lowerCase } = how;
  const text = typeof payload === 'string' ? payload : JSON.stringify(payload);
  const type = method === 'POST' ? 'application/json' : 'application/x-www-form-urlencoded';
  const date = how.date ?? new Date(how.timestamp * 1000).toISOString().slice(0, 10);
  const headers: Record<string, string> = {
    host,
    'content-type': type,
    'x-tc-action': action,
    'x-tc-version': how.version ?? '2022-09-01',
    'x-tc-timestamp': String(how.timestamp),
    ...(how.language !== undefined && { 'x-tc-language': how.language }),
    ...(who.token !== undefined && { 'x-tc-token': who.token }),
    ...(unsignedPayload && { 'x-tc-content-sha256': 'UNSIGNED-PAYLOAD' }),
    ...how.headers,
  };
  const covered = action.startsWith('EdgeFour') ? ['x-tc-action'] : [];
  const signedHeaders = how.signedHeaders ?? ['content-type', 'host', ...covered];
  const value = (name: string): string => {
    const given =
      name === 'host' ? (how.signedHost ?? host) : Object.hasOwn(headers, name) ? (headers[name] ?? '') : '';
    return lowerCase ? given.toLowerCase() : given;
  };
  const signed = unsignedPayload ? 'UNSIGNED-PAYLOAD' : method === 'POST' ? text : '';
  const canonical = [
    method,
    '/',
    method === 'GET' ? text : '',
    signedHeaders.map((name) => `${name}:${value(name)}\n`).join(''),
    signedHeaders.join(';'),
    sha256(signed),
  ].join('\n');
  const scope = `${date}/${service}/tc3_request`;
  const toSign = `TC3-HMAC-SHA256\n${how.timestamp}\n${scope}\n${sha256(canonical)}`;
  const key = hmac(hmac(hmac(`TC3${who.secretKey}`, date), service), 'tc3_request');
  const signature = hmac(key, toSign).toString('hex');
  headers['authorization'] ??=
    `TC3-HMAC-SHA256 Credential=${who.secretId}/${scope}, SignedHeaders=${signedHeaders.join(';')}, Signature=${signature}`;
  return raw(method, text, headers);
}

export interface V1Signing extends Signing {
  readonly method?: 'POST' | 'GET';
  /** undefined leaves SignatureMethod out, which means HmacSHA1. */
  readonly signatureMethod?: 'HmacSHA1' | 'HmacSHA256';
  readonly nonce?: number;
  /** The label of the form body; capi says application/json. */
  readonly contentType?: string;
}

/** `parameters`: the action's own, already flat (`Filters.0.Name`). */
export function v1(
  who: Identity,
  action: string,
  parameters: Readonly<Record<string, string>>,
  how: V1Signing,
): RawRequest {
  const { method = 'POST', host = '127.0.0.1:7400', signatureMethod } = how;
  const all: Record<string, string> = {
    ...parameters,
    Action: action,
    Version: how.version ?? '2022-09-01',
    Timestamp: String(how.timestamp),
    Nonce: String(how.nonce ?? 12_345),
    SecretId: who.secretId,
    ...(signatureMethod && { SignatureMethod: signatureMethod }),
    ...(how.language !== undefined && { Language: how.language }),
    ...(who.token !== undefined && { Token: who.token }),
  };
  const source = Object.keys(all)
    .sort()
    .map((name) => `${name}=${all[name]}`)
    .join('&');
  const hash = signatureMethod === 'HmacSHA256' ? 'sha256' : 'sha1';
  const signature = createHmac(hash, who.secretKey).update(`${method}${how.signedHost ?? host}/?${source}`);
  const text = new URLSearchParams({ ...all, Signature: signature.digest('base64') }).toString();
  const type = how.contentType ?? 'application/x-www-form-urlencoded';
  return raw(method, text, { host, 'content-type': type, ...how.headers });
}

/** `{Filters: [{Name: 'a'}]}` → `{'Filters.0.Name': 'a'}`; values as text. */
export function flatten(value: unknown, path = ''): Record<string, string> {
  if (typeof value !== 'object' || value === null) return { [path]: String(value) };
  const parts = Object.entries(value).map(([name, member]) => flatten(member, path === '' ? name : `${path}.${name}`));
  return Object.assign({}, ...parts) as Record<string, string>;
}

function raw(method: 'POST' | 'GET', text: string, headers: Record<string, string>): RawRequest {
  const url = method === 'GET' ? `/?${text}` : '/';
  return { method, url, headers, body: Buffer.from(method === 'GET' ? '' : text), peer: '127.0.0.1' };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
