/**
 * The wire: one API call from raw HTTP to the reply's bytes. STEPS is the list; its order is wire behaviour. Knows no
 * sockets (control/http/http.ts feeds it) and no action by name.
 */
import { inspect } from 'node:util';
import { Broken, Fault } from '../faults/fault.ts';
import { identify, verify } from './steps/authenticate.ts';
import { type ApiContext, type ApiOptions, Call, type RawReply, type RawRequest, type Step } from './call.ts';
import { CallLog } from './call-log.ts';
import { checkRequest } from './steps/check-request.ts';
import { entitle } from './steps/entitle.ts';
import { sealFault, sealSuccess } from './steps/envelope.ts';
import { find } from './steps/find.ts';
import { inject } from './steps/injected-faults.ts';
import { Limiter } from './limiter.ts';
import { limit } from './steps/limits.ts';
import { OverBudget } from './over-budget.ts';
import { languageOf, parse, parseHead } from './steps/parse.ts';
import { permit } from './steps/permit.ts';
import { run } from './steps/run.ts';
import { Turns } from './handling/turns.ts';

/** order: the cloud's (spec section 1.8); what a caller did first wrong is what it is told. */
const STEPS: readonly Step[] = [
  parse, // language, method, size, common parameters, form of the Authorization
  identify, // key, time window
  verify, // signature, token
  limit, // requests per second, per key and action
  find, // version, action
  entitle, // whether any policy speaks of the action at all: before the body is looked into
  checkRequest, // unknown members, missing ones, types, values
  permit, // CAM policies
  inject, // faults that an operator asked for
  run, // the handler, committed
];

/** Steps that need no body: a call that they refuse is not read. Of a form nothing is known before its body. */
const EARLY: readonly Step[] = [
  async (call, api) => {
    if (parseHead(call)) await identify(call, api);
  },
];

export interface Api {
  /** Answers everything, never rejects. The body is complete, or `bodyLength` says how long the one is that is not there. */
  handle(raw: RawRequest): Promise<RawReply>;
  /** The refusal of a call whose body is still to come; undefined where it may come. */
  foresee(raw: RawRequest): Promise<RawReply | undefined>;
  /** The reply to what the listener could not take as a call, counted and logged as those are that it could. */
  refuse(raw: RawRequest, fault: Fault): RawReply;
}

export function createApi(options: ApiOptions): Api {
  const { clock, rng } = options.around;
  const limiter = new Limiter(options.settings.ratePerSecond, clock);
  const api: ApiContext = { ...options, limiter, turns: new Turns() };
  const log = new CallLog(options.log, clock);

  /** Counts and logs what became of a call. */
  function told(call: Call, started: number, fault: Fault | undefined): void {
    api.metrics.add('edgefour_api_requests_total', {
      action: call.actionName ?? 'unknown',
      code: fault?.code ?? 'OK',
    });
    if (fault instanceof OverBudget) api.metrics.add('edgefour_budget_refusals_total', { budget: fault.budget });
    if (log.add(call, fault, clock.monotonic() - started) === 'summed')
      api.metrics.add('edgefour_budget_refusals_total', { budget: 'refusal-log-lines' });
  }
  return {
    async handle(raw) {
      const call = new Call(raw, rng.uuid());
      const started = clock.monotonic();
      const fault = await refusal(STEPS, call, api);
      told(call, started, fault);
      return { ...(fault ? sealFault(call, fault) : sealSuccess(call)), signed: call.caller !== undefined };
    },
    async foresee(raw) {
      const call = new Call(raw, rng.uuid());
      const started = clock.monotonic();
      const fault = await refusal(EARLY, call, api);
      if (!fault) return undefined;
      told(call, started, fault);
      return sealFault(call, fault);
    },
    refuse(raw, fault) {
      const call = new Call(raw, rng.uuid());
      call.language = languageOf(raw);
      told(call, clock.monotonic(), fault);
      return sealFault(call, fault);
    },
  };
}

async function refusal(steps: readonly Step[], call: Call, api: ApiContext): Promise<Fault | undefined> {
  try {
    for (const step of steps) await step(call, api);
    return undefined;
  } catch (error) {
    if (error instanceof Fault) return error;
    const reason = error instanceof Broken ? 'broken invariant' : 'unexpected error';
    api.log.error(reason, { requestId: call.requestId, action: call.actionName, stack: inspect(error) });
    return new Fault('InternalError');
  }
}
