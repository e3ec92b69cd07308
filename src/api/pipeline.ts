/**
 * The wire: one API call from raw HTTP to the reply's bytes. STEPS is the list; its order is wire behaviour. Knows no
 * sockets (control/http.ts feeds it) and no action by name.
 */
import { inspect } from 'node:util';
import { Broken, Fault } from '../faults/fault.ts';
import { authenticate } from './authenticate.ts';
import { type ApiContext, type ApiOptions, Call, type RawReply, type RawRequest, type Step } from './call.ts';
import { checkRequest } from './check-request.ts';
import { sealFault, sealSuccess } from './envelope.ts';
import { find } from './find.ts';
import { inject } from './injected-faults.ts';
import { Limiter, limit } from './limits.ts';
import { parse } from './parse.ts';
import { permit } from './permit.ts';
import { run } from './run.ts';
import { Turns } from './turns.ts';

/** order: the cloud's (spec section 1.8); what a caller did first wrong is what it is told. */
export const STEPS: readonly Step[] = [
  parse, // method, size, common parameters, form of the Authorization
  authenticate, // key, time window, signature, token
  limit, // requests per second, per account and action
  find, // version, action
  checkRequest, // unknown members, missing ones, types, values
  permit, // CAM policies
  inject, // faults that an operator asked for
  run, // the handler, committed
];

export interface Api {
  /** Answers everything, never rejects. The body is complete; one over BODY_LIMIT may be cut one byte behind it. */
  handle(raw: RawRequest): Promise<RawReply>;
}

export function createApi(options: ApiOptions): Api {
  const limiter = new Limiter(options.settings.ratePerSecond, options.around.clock);
  const api: ApiContext = { ...options, limiter, turns: new Turns() };
  return {
    async handle(raw) {
      const call = new Call(raw, api.around.rng.uuid());
      const started = api.around.clock.monotonic();
      const fault = await refusal(call, api);
      record(call, api, fault, api.around.clock.monotonic() - started);
      return fault ? sealFault(call, fault) : sealSuccess(call);
    },
  };
}

async function refusal(call: Call, api: ApiContext): Promise<Fault | undefined> {
  try {
    for (const step of STEPS) await step(call, api);
    return undefined;
  } catch (error) {
    if (error instanceof Fault) return error;
    const reason = error instanceof Broken ? 'broken invariant' : 'unexpected error';
    api.log.error(reason, { requestId: call.requestId, action: call.actionName, stack: inspect(error) });
    return new Fault('InternalError');
  }
}

function record(call: Call, api: ApiContext, fault: Fault | undefined, ms: number): void {
  const action = call.actionName ?? 'unknown';
  const code = fault?.code ?? 'OK';
  api.metrics.add('edgefour_api_requests_total', { action, code });
  const facts = {
    requestId: call.requestId,
    action,
    code,
    ...(fault?.detail !== undefined && { why: fault.detail }),
    account: call.caller?.account,
    user: call.caller?.user,
    ...(call.revision !== undefined && { revision: call.revision }),
    peer: call.raw.peer,
    ms: Math.round(ms * 10) / 10,
  };
  // Writes and refusals are what an operator asks the log about; reads are many.
  if (fault || call.action.access === 'write') api.log.info('api', facts);
  else api.log.debug('api', facts);
}
