/**
 * The last step: the reply as every official client expects it. wire: HTTP 200 for success and error alike (clients
 * lose the code otherwise), `application/json` without a charset (Python takes an error for a success otherwise),
 * `Error` present only on failure. Source: spec section 1.6.
 */
import { CATALOGUE, type CatalogueEntry } from '../../faults/catalogue.ts';
import type { Fault } from '../../faults/fault.ts';
import { excerpt } from '../../lib/excerpt.ts';
import { type Call, header, type Language, type RawReply } from '../call.ts';

export function sealSuccess(call: Call): RawReply {
  return seal(call, { ...call.response, RequestId: call.requestId });
}

export function sealFault(call: Call, fault: Fault): RawReply {
  const error = { Code: fault.code, Message: messageOf(fault, call.language) };
  return seal(call, { Error: error, RequestId: call.requestId });
}

function seal(call: Call, response: Record<string, unknown>): RawReply {
  const headers: Record<string, string> = { 'Content-Type': 'application/json', ...call.replyHeaders };
  const trace = header(call.raw, 'x-tc-traceid');
  // Only what is surely one harmless header value goes back.
  if (trace !== undefined && /^[\w.:-]{1,128}$/.test(trace)) headers['X-TC-TraceId'] = trace;
  return { status: 200, headers, body: JSON.stringify({ Response: response }) };
}

/**
 * What a caller is told; the one place where a stranger's text comes back to him. One language: details are English, so a
 * Chinese message stands without one, and the log has it.
 */
function messageOf(fault: Fault, language: Language): string {
  const entry: CatalogueEntry = CATALOGUE[fault.code];
  const wording = fault.values['parameter'] === undefined ? entry : (entry.named ?? entry);
  const template = language === 'zh-CN' ? wording.zh : wording.en;
  const message = template.replace(/\{(\w+)\}/g, (place, name: string) => excerpt(fault.values[name] ?? place));
  return fault.detail === undefined || language === 'zh-CN' ? message : `${message} ${excerpt(fault.detail)}`;
}
