/**
 * An engine that is made when the first rule comes to it: until then it costs no thread and no time at the start. What it
 * can do is known before. Made by the agent for engines that may never be chosen.
 */
import type { Applied, Capabilities, Engine, EngineName } from '../engine.ts';

/** A rule that needs an engine which can't be made fails with the reason; the next one tries again. */
export function lazyEngine(name: EngineName, capabilities: Capabilities, make: () => Promise<Engine>): Engine {
  let making: Promise<Engine> | undefined;
  let stopped: Promise<void> | undefined;

  function made(): Promise<Engine> {
    making ??= make();
    making.catch(() => (making = undefined));
    return making;
  }
  /** One that was never made, or could not be, has nothing to remove, count or stop. */
  async function ifMade<T>(use: (engine: Engine) => Promise<T>, otherwise: T): Promise<T> {
    const engine = await making?.catch(() => undefined);
    return engine ? use(engine) : otherwise;
  }
  async function apply(...rule: Parameters<Engine['apply']>): Promise<Applied> {
    if (stopped) return { ok: false, reason: 'the engine is stopped' };
    let engine: Engine;
    try {
      engine = await made();
    } catch (error) {
      return { ok: false, reason: `the ${name} engine could not be started: ${(error as Error).message}` };
    }
    return engine.apply(...rule);
  }
  return {
    name,
    capabilities: () => capabilities,
    apply,
    remove: (id) => ifMade((engine) => engine.remove(id), undefined),
    prune: (keep) => ifMade((engine) => engine.prune(keep), undefined),
    counters: () => ifMade((engine) => engine.counters(), new Map()),
    handOver: () => ifMade(async (engine) => (await engine.handOver?.()) ?? [], []),
    pause: () => ifMade(async (engine) => engine.pause?.(), undefined),
    proceed: () => ifMade(async (engine) => engine.proceed?.(), undefined),
    stop: (drainMs) => (stopped ??= ifMade((engine) => engine.stop(drainMs), undefined)),
  };
}
