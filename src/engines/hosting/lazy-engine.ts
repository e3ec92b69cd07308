/**
 * An engine that is made when the first rule comes to it: until then it costs no thread and no time at the start. What it
 * can do is known before. Made by the registry and the kernel engine's factory, for engines that may never be chosen.
 */
import type { Capabilities, Engine } from '../engine.ts';
import { answerWithout, type Call, callOn, forwardTo } from './forward.ts';
import { KnownStates } from './known-states.ts';

/** A rule that needs an engine which can't be made fails with the reason; the next one tries again. */
export function lazyEngine(name: string, capabilities: Capabilities, make: () => Promise<Engine>): Engine {
  let making: Promise<Engine> | undefined;
  let stopped: Promise<unknown> | undefined;
  const known = new KnownStates();

  function made(): Promise<Engine> {
    making ??= start();
    making.catch(() => (making = undefined));
    return making;
  }
  /** order: before its first rule. */
  async function start(): Promise<Engine> {
    const engine = await make();
    if (known.call) await callOn(engine, known.call);
    return engine;
  }
  async function apply(call: Call): Promise<unknown> {
    if (stopped) return answerWithout(call, 'the engine is stopped');
    let engine: Engine;
    try {
      engine = await made();
    } catch (error) {
      return answerWithout(call, `the ${name} engine could not be started: ${(error as Error).message}`);
    }
    return callOn(engine, call);
  }
  /** One that was never made, or could not be, has nothing to remove, count, hand over or stop. */
  async function ifMade(call: Call): Promise<unknown> {
    const engine = await making?.catch(() => undefined);
    return engine ? callOn(engine, call) : answerWithout(call, '');
  }
  return forwardTo(
    name,
    () => capabilities,
    (call) => {
      known.note(call);
      if (call.method === 'apply') return apply(call);
      return call.method === 'stop' ? (stopped ??= ifMade(call)) : ifMade(call);
    },
  );
}
