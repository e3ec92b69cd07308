/**
 * The action's own parameters, decoded and checked against its request fields. Members that no field describes are
 * refused as the cloud does, or (a new SDK must not break users) dropped and told. A step of the pipeline.
 */
import { check } from '../../shape/check.ts';
import type { ApiContext, Call } from '../call.ts';

export function checkRequest(call: Call, api: ApiContext): void {
  const { input, text } = call.message.parameters();
  const checked = check(call.action.request, input, { unknown: api.settings.unknownFields, text });
  if (!checked.ok) throw checked.fault;
  call.request = checked.value;
  if (checked.unknown.length > 0) {
    const names = checked.unknown.map(forHeader).join(', ');
    call.replyHeaders['X-EdgeFour-Unknown-Parameters'] = names;
    api.log.warn('unknown parameters dropped', { requestId: call.requestId, action: call.actionName, names });
  }
}

/** The names are a stranger's text: nothing of it may break a header or a log line. */
function forHeader(path: string): string {
  return path.slice(0, 100).replace(/[^\w.-]/g, '?');
}
