/**
 * The request rate: so many calls a second per key and action. The cloud counts per account; here a user who may do
 * nothing would use up the rate of root and all other users of the account. Only keys whose signature holds and known actions
 * get a bucket, so a stranger cannot fill memory. A step of the pipeline.
 */
import type { ApiContext, Call } from '../call.ts';

/** order: before the action is looked up, so unknown names share one bucket. */
export function limit(call: Call, api: ApiContext): void {
  const name = call.message.action;
  api.limiter.admit(call.caller.secretId, Object.hasOwn(api.actions, name) ? name : '');
}
