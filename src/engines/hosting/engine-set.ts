/**
 * The engines of this host as one thing: made together, asked together, ended together. An engine that can't be made is
 * unavailable, with the reason, and the edge starts without it. Made by the agent.
 */
import type { EngineState } from '../../domain/fact/ack.ts';
import type { ConnectionRecord, RuleCounters } from '../../domain/fact/fact.ts';
import type { Log } from '../../observe/log.ts';
import type {
  Applied,
  Capabilities,
  Engine,
  EngineEvents,
  EngineFactory,
  Inheritance,
  Succession,
  TargetOutcomes,
  TargetState,
} from '../engine.ts';
import { addCounters } from '../flow/counters.ts';
import { ENGINE_NAMES, type EngineName } from '../registry.ts';
import { absentEngine, callOn, forwardSuccession } from './forward.ts';

interface EngineSetEvents {
  record(engine: EngineName, record: ConnectionRecord): void;
  listener(engine: EngineName, id: string, state: Applied): void;
  outcomes(batch: readonly TargetOutcomes[]): void;
}

export interface EngineSet {
  readonly running: ReadonlyMap<EngineName, Engine>;
  /** Also of those that could not be made. */
  readonly capabilities: ReadonlyMap<EngineName, Capabilities>;
  /** As an ack says it. */
  readonly report: readonly EngineState[];
  /** Of all engines, summed per rule: a rule may have moved between them. */
  counters(): Promise<ReadonlyMap<string, RuleCounters>>;
  /** To all engines that obey states; never rejects. */
  states(changes: readonly TargetState[]): Promise<void>;
  stop(drainMs: number): Promise<void>;
  /** Of all engines, each word at once. */
  readonly succession: Succession;
}

type Factories = Readonly<Partial<Record<EngineName, EngineFactory>>>;

export async function openEngines(
  factories: Factories,
  log: Log,
  events: EngineSetEvents,
  inheritance?: Inheritance,
): Promise<EngineSet> {
  const running = new Map<EngineName, Engine>();
  const capabilities = new Map<EngineName, Capabilities>();

  async function make(name: EngineName, factory: EngineFactory): Promise<void> {
    try {
      const tell = {
        record: (record: ConnectionRecord) => events.record(name, record),
        listener: (id: string, state: Applied) => events.listener(name, id, state),
        outcomes: (batch: readonly TargetOutcomes[]) => events.outcomes(batch),
        log: (...[level, message, facts]: Parameters<EngineEvents['log']>) => log[level](message, facts),
      };
      const engine = await factory(tell, inheritance);
      running.set(name, engine);
      capabilities.set(name, engine.capabilities());
    } catch (error) {
      const unavailable = `it could not be started: ${(error as Error).message}`;
      log.error('an engine could not be started', { engine: name, reason: (error as Error).message });
      capabilities.set(name, absentEngine(name, unavailable).capabilities());
    }
  }
  await Promise.all(ENGINE_NAMES.flatMap((name) => (factories[name] ? make(name, factories[name]) : [])));

  return {
    running,
    capabilities,
    report: [...capabilities].map(([name, { unavailable }]) => ({
      name,
      ...(unavailable !== undefined && { unavailable }),
    })),
    async counters() {
      const sums = new Map<string, RuleCounters>();
      for (const counters of await Promise.all([...running.values()].map((engine) => engine.counters())))
        for (const [rule, counted] of counters) {
          const before = sums.get(rule);
          sums.set(rule, before ? addCounters(before, counted) : counted);
        }
      return sums;
    },
    async states(changes) {
      const told = [...running].map(([name, engine]) =>
        engine.states(changes).catch((error: Error) => {
          log.error('an engine does not take the states of origins', { engine: name, reason: error.message });
        }),
      );
      await Promise.all(told);
    },
    async stop(drainMs) {
      await Promise.all([...running.values()].map((engine) => engine.stop(drainMs)));
    },
    succession: forwardSuccession(async (call) => {
      const answers = await Promise.all([...running.values()].map((engine) => callOn(engine, call)));
      return answers.flat();
    }),
  };
}
