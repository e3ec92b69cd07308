/**
 * The first step: from an HTTP request to a Message. Decides how the call is signed, finds the common parameters where
 * that method puts them, and refuses what is too big, incomplete or unreadable, before any key is looked up.
 * Source: spec sections 1.1, 1.2.
 */
import { Fault } from '../../faults/fault.ts';
import { type Call, header, type Language, type Message, type Parameters, type RawRequest } from '../call.ts';
import { decodeForm, type Form, nest } from './form.ts';
import { boundJson } from './json-bounds.ts';
import { v1Claim } from '../signature/v1.ts';
import { tc3Claim } from '../signature/tc3.ts';

/** limit: the largest body any call may have, and one that signs by parameters. */
export const BODY_LIMIT = 10 * 1024 * 1024;
const FORM_LIMIT = 1024 * 1024;
const QUERY_LIMIT = 32 * 1024;

/** wire: the common parameters of a v1 call lie between the action's own. */
export const COMMON_PARAMETERS: ReadonlySet<string> = new Set([
  'Action',
  'Version',
  'Timestamp',
  'Nonce',
  'SecretId',
  'Signature',
  'SignatureMethod',
  'Token',
  'Region',
  'Language',
  'RequestClient',
]);

type Head = Pick<RawRequest, 'headers'>;

/** limit: bytes of body that a call with these headers may have. The listener keeps no more. */
export function bodyLimit(raw: Head): number {
  return byHeader(raw) ? BODY_LIMIT : FORM_LIMIT;
}

function byHeader(raw: Head): boolean {
  return header(raw, 'authorization') !== undefined || header(raw, 'x-tc-action') !== undefined;
}

export function parse(call: Call): void {
  const { raw } = call;
  call.language = languageOf(raw);
  if (raw.method !== 'GET' && raw.method !== 'POST') throw new Fault('UnsupportedProtocol');
  if (raw.url.length > QUERY_LIMIT || (raw.bodyLength ?? raw.body.length) > bodyLimit(raw))
    throw new Fault('RequestSizeLimitExceeded');
  if (byHeader(raw)) call.message = readTc3(raw);
  // wire: capi labels its form body as JSON, so the label is not asked.
  else call.message = readV1(raw, decodeForm(raw.method === 'GET' ? queryOf(raw) : utf8(raw.body)));
}

/** Refuses before the body has come where it can. Throws as `parse` would; a form's fields are in its body. */
export function parseHead(call: Call): boolean {
  if (byHeader(call.raw)) parse(call);
  return byHeader(call.raw);
}

function readTc3(raw: RawRequest): Message {
  const timestamp = required('Timestamp', header(raw, 'x-tc-timestamp'));
  const action = required('Action', header(raw, 'x-tc-action'));
  const version = required('Version', header(raw, 'x-tc-version'));
  const seconds = readTimestamp(timestamp);
  const claim = tc3Claim(raw, header(raw, 'authorization') ?? '', timestamp);
  if (!claim) throw new Fault('AuthFailure.InvalidAuthorization');
  return {
    action,
    version,
    timestamp: seconds,
    token: header(raw, 'x-tc-token') ?? '',
    client: header(raw, 'x-tc-requestclient') ?? '',
    claim,
    parameters: () => (raw.method === 'GET' ? fromForm(decodeForm(queryOf(raw))) : fromJson(raw)),
  };
}

function readV1(raw: RawRequest, form: Form): Message {
  const timestamp = required('Timestamp', form.get('Timestamp'));
  const nonce = required('Nonce', form.get('Nonce'));
  required('SecretId', form.get('SecretId'));
  required('Signature', form.get('Signature'));
  const action = required('Action', form.get('Action'));
  const version = required('Version', form.get('Version'));
  const seconds = readTimestamp(timestamp);
  if (!/^\d{1,20}$/.test(nonce)) throw invalid('Nonce');
  const claim = v1Claim(raw, form);
  if (!claim) throw invalid('SignatureMethod');
  return {
    action,
    version,
    timestamp: seconds,
    token: form.get('Token') ?? '',
    client: form.get('RequestClient') ?? header(raw, 'x-tc-requestclient') ?? '',
    claim,
    parameters: () => fromForm(form),
  };
}

function required(parameter: string, value: string | undefined): string {
  if (value === undefined || value === '') throw new Fault('MissingParameter', undefined, { parameter });
  return value;
}

function readTimestamp(text: string): number {
  if (!/^\d{1,12}$/.test(text)) throw invalid('Timestamp');
  return Number(text);
}

function invalid(parameter: string): Fault {
  return new Fault('InvalidParameterValue', undefined, { parameter });
}

/** order: before anything can be refused. What is neither of the two languages leaves the default. */
export function languageOf(raw: RawRequest): Language {
  const inForm = byHeader(raw) ? undefined : /(?:^|&)Language=(zh-CN|en-US)(?:&|$)/.exec(formText(raw))?.[1];
  return (inForm ?? header(raw, 'x-tc-language')) === 'zh-CN' ? 'zh-CN' : 'en-US';
}

/** Not decoded, and no more of it than a form may have: the language is asked of what can't be decoded, too. */
function formText(raw: RawRequest): string {
  if (raw.method === 'GET') return queryOf(raw).slice(0, FORM_LIMIT);
  return Buffer.from(raw.body.buffer, raw.body.byteOffset, Math.min(raw.body.length, FORM_LIMIT)).toString('latin1');
}

function queryOf(raw: RawRequest): string {
  const at = raw.url.indexOf('?');
  return at < 0 ? '' : raw.url.slice(at + 1);
}

function fromForm(form: Form): Parameters {
  return { input: nest([...form].filter(([name]) => !COMMON_PARAMETERS.has(name))), text: true };
}

function fromJson(raw: RawRequest): Parameters {
  if (header(raw, 'content-type')?.startsWith('multipart/')) {
    throw new Fault('InvalidRequest', 'No action here takes multipart/form-data; send JSON.');
  }
  if (raw.body.length === 0) return { input: {}, text: false };
  boundJson(raw.body);
  try {
    return { input: JSON.parse(utf8(raw.body)) as unknown, text: false };
  } catch (error) {
    if (error instanceof Fault) throw error;
    throw new Fault('InvalidParameter', 'The request body is not valid JSON.');
  }
}

const UTF_8 = new TextDecoder('utf-8', { fatal: true });

function utf8(bytes: Uint8Array): string {
  try {
    return UTF_8.decode(bytes);
  } catch {
    throw new Fault('InvalidParameter', 'The request body is not valid UTF-8.');
  }
}
