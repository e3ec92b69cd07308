/**
 * The form every API action has, and the one call (`action`) that checks its types. Everything else about an action is
 * derived from this data: validation, permission, reference page, CLI command, console form, audit. See house.md §3.
 */
import type { FaultCode } from '../faults/catalogue.ts';
import type { Fields, Infer } from '../shape/shape.ts';
import type { Tx } from './handling/transaction.ts';

/**
 * What policies are asked about before the handler runs: the `zone` that ZoneId names; things of the `account` that belong
 * to no zone; every zone there is (`world`); zones that the request names in another way; or, of a list, nothing but
 * whether the caller may use it at all: it shows the zones that are `seen` (Caller.sees) and leaves out the others.
 */
type Touches<Req> = 'zone' | 'account' | 'world' | 'seen' | { zones(request: Req): readonly string[] };

interface Action<Req extends Fields = Fields, Res extends Fields = Fields, Code extends FaultCode = FaultCode> {
  readonly summary: string;
  /** `read` actions never write; both are refused to a caller whose policies don't allow the action. */
  readonly access: 'read' | 'write';
  readonly touches: Touches<Infer<Req>>;
  /** Which service's name signs and permits it; default `teo`. */
  readonly service?: 'teo' | 'tag' | 'edgefour';
  readonly request: Req;
  readonly response: Res;
  /** The codes the handler itself can answer with; the pipeline's own are in faults/catalogue.ts as `common`. */
  readonly errors: readonly Code[];
  readonly example: { readonly title: string; readonly request: Infer<Req>; readonly response: Infer<Res> };
  /** Read → decide (domain) → write → answer. May run more than once (on conflict), so it has no effects but `tx`. */
  handle(tx: Tx<Code>, request: Infer<Req>): Infer<Res> | Promise<Infer<Res>>;
}

/** An action of any shape, as the pipeline and the generators hold it. */
export interface AnyAction {
  readonly summary: string;
  readonly access: 'read' | 'write';
  readonly touches: Touches<never>;
  readonly service?: 'teo' | 'tag' | 'edgefour';
  readonly request: Fields;
  readonly response: Fields;
  readonly errors: readonly FaultCode[];
  readonly example: { readonly title: string; readonly request: unknown; readonly response: unknown };
  // Method syntax on purpose: parameters are compared bivariantly, so any Action is an AnyAction.
  handle(tx: Tx, request: never): unknown;
}

/** Returns its argument; the types are the work. */
export function action<const Req extends Fields, const Res extends Fields, const Code extends FaultCode>(
  definition: Action<Req, Res, Code>,
): Action<Req, Res, Code> {
  return definition;
}
