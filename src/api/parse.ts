/**
 * The first step: from an HTTP request to a Message. Decides how the call is signed, finds the common parameters where
 * that method puts them, and refuses what is too big, incomplete or unreadable, before any key is looked up.
 * Source: spec sections 1.1, 1.2.
 */
import { Fault } from '../faults/fault.ts';
import { type Call, header, type Message, type Parameters, type RawRequest } from './call.ts';
import { decodeForm, type Form, nest } from './form.ts';
import { v1Claim } from './signature-v1.ts';
import { tc3Claim } from './tc3.ts';

/** limit: the largest body any call may have. The listener hands over at most one byte more and drops the rest. */
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

export function parse(call: Call): void {
  const { raw } = call;
  if (raw.method !== 'GET' && raw.method !== 'POST') throw new Fault('UnsupportedProtocol');
  if (raw.url.length > QUERY_LIMIT || raw.body.length > BODY_LIMIT) throw new Fault('RequestSizeLimitExceeded');
  const byHeader = header(raw, 'authorization') !== undefined || header(raw, 'x-tc-action') !== undefined;
  if (byHeader) {
    readLanguage(call, header(raw, 'x-tc-language'));
    call.message = readTc3(raw);
  } else {
    if (raw.body.length > FORM_LIMIT) throw new Fault('RequestSizeLimitExceeded');
    // wire: capi labels its form body as JSON, so the label is not asked.
    const form = decodeForm(raw.method === 'GET' ? queryOf(raw) : utf8(raw.body));
    readLanguage(call, form.get('Language') ?? header(raw, 'x-tc-language'));
    call.message = readV1(raw, form);
  }
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

/** Anything but the two languages leaves the default. */
function readLanguage(call: Call, language: string | undefined): void {
  if (language === 'zh-CN' || language === 'en-US') call.language = language;
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
