/**
 * The methods of the engine door (engine.ts) as calls, which can wait, go to another thread or to every engine there is.
 * The one place that knows each method: a new one is a row here. Knows nothing of where an engine lives. Used by the hosts
 * beside it and by engines that can't be had.
 */
import type { Capabilities, Engine, Succession } from '../engine.ts';

type Plain = Omit<Engine, 'name' | 'capabilities' | 'succession'>;
type Door = Plain & Succession;
type Method = keyof Door;
export type Call = { [M in Method]: { readonly method: M; readonly args: Parameters<Door[M]> } }[Method];
/** What a method answers where no engine is; `reason` says why there is none. */
type Rows<D> = {
  readonly [M in keyof D]: (reason: string) => D[M] extends (...args: never) => Promise<infer A> ? A : never;
};

const nothing = (): void => {};
const PLAIN: Rows<Plain> = {
  apply: (reason) => ({ ok: false, reason }),
  remove: nothing,
  prune: nothing,
  states: nothing,
  counters: () => new Map(),
  stop: nothing,
};
const SUCCESSION: Rows<Succession> = {
  handOver: () => [],
  pause: nothing,
  resume: nothing,
  begin: nothing,
};

/** An engine whose every call goes through `send`, which resolves with the method's own answer. */
export function forwardTo(
  name: string,
  capabilities: () => Capabilities,
  send: (call: Call) => Promise<unknown>,
): Engine {
  return { name, capabilities, ...forward<Plain>(PLAIN, send), succession: forwardSuccession(send) };
}

export function forwardSuccession(send: (call: Call) => Promise<unknown>): Succession {
  return forward(SUCCESSION, send);
}

function forward<D extends object>(rows: Rows<D>, send: (call: Call) => Promise<unknown>): D {
  const methods = Object.keys(rows).map((method) => [method, (...args: unknown[]) => send({ method, args } as Call)]);
  return Object.fromEntries(methods) as D;
}

/** The other end: the engine's own method. */
export function callOn(engine: Engine, { method, args }: Call): Promise<unknown> {
  const door = (method in SUCCESSION ? engine.succession : engine) as Record<
    Method,
    (...args: unknown[]) => Promise<unknown>
  >;
  return door[method](...args);
}

export function answerWithout({ method }: Call, reason: string): unknown {
  return { ...PLAIN, ...SUCCESSION }[method](reason);
}

/** An engine that takes nothing and has nothing, and says why. */
export function absentEngine(name: string, unavailable: string): Engine {
  const none: Capabilities = { unavailable, modes: [], protocols: [], ipv6: false, nextOrigin: false };
  return forwardTo(
    name,
    () => none,
    (call) => Promise.resolve(answerWithout(call, unavailable)),
  );
}
