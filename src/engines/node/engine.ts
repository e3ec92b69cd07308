/**
 * The node engine: TCP and UDP on `node:net` and `node:dgram`, on every system that runs Node. The reference for what
 * engines do. It cannot write TCP options, so it refuses TOA.
 */
import { systemClock, type Clock } from '../../lib/clock.ts';
import { systemRng, type Rng } from '../../lib/rng.ts';
import { Inherited, type InheritedParts } from '../../handoff/inherited.ts';
import { descriptorLimit } from '../../linux/descriptors.ts';
import type { Engine, EngineEvents } from '../engine.ts';
import { SWEEP_MS } from '../flow/behaviour.ts';
import { SourcePorts } from '../flow/source-ports.ts';
import { OutcomeTally } from '../flow/outcomes.ts';
import { TargetStates } from '../flow/target-states.ts';
import { createAdmission } from './admission.ts';
import { Budget } from './budget.ts';
import { nodeCapabilities } from './capabilities.ts';
import { DescriptorWatch } from './descriptor-watch.ts';
import { NodeRule } from './rule.ts';
import { NodeRules } from './rules.ts';

interface NodeEngineOptions {
  readonly clock: Clock;
  readonly rng: Rng;
  /** Descriptors that the process may have. */
  readonly descriptors: number;
  /** flow/source-ports.ts; default: the system chooses. */
  readonly sourcePorts?: SharedArrayBuffer | undefined;
  /** Of the process before this one. */
  readonly inherited?: InheritedParts | undefined;
}

/** On a thread of its own it has only what can be sent to a thread. */
interface Sendable {
  readonly sockets?: Pick<Inherited, 'parts'> | undefined;
  readonly sourcePorts?: SharedArrayBuffer;
}

export function createNodeEngine(events: EngineEvents, { sockets, sourcePorts }: Sendable = {}): Promise<Engine> {
  const inherited = sockets?.parts;
  const options = { clock: systemClock, rng: systemRng, descriptors: descriptorLimit(), sourcePorts, inherited };
  return createNodeEngineWith(options, events);
}

export async function createNodeEngineWith(options: NodeEngineOptions, events: EngineEvents): Promise<Engine> {
  const { clock, descriptors } = options;
  // limit: an eighth stays for files, the control link and clients that wait; half of that for the latter.
  const reserve = Math.min(1024, Math.floor(descriptors / 8));
  const budget = new Budget({ descriptors: descriptors - reserve, waiting: Math.floor(reserve / 2) });
  const watch = new DescriptorWatch(budget, descriptors, events);
  const capabilities = nodeCapabilities();
  const states = new TargetStates();
  const outcomes = new OutcomeTally(clock, events);
  const { rules, begin } = createRules(options, budget, descriptors - reserve, { states, outcomes }, events);
  const sweeper = clock.every(SWEEP_MS, () => {
    watch.measure();
    rules.sweep();
    watch.tell();
  });
  let stopping: Promise<void> | undefined;
  return {
    name: 'node',
    capabilities: () => capabilities,
    apply: (listener) => rules.apply(listener),
    remove: (id) => rules.remove(id),
    prune: (keep) => rules.prune(keep),
    states: async (changes) => {
      for (const change of changes) states.set(change, clock.monotonic());
      rules.leaveDown();
    },
    counters: async () => rules.counters(),
    stop: (drainMs) =>
      (stopping ??= rules.stop(drainMs).then(() => {
        sweeper.cancel();
        outcomes.tell();
      })),
    // Its sessions begin anew in the next process, and its sockets may be accepted from by both.
    succession: {
      handOver: () => Promise.resolve([]),
      pause: () => Promise.resolve(),
      resume: () => Promise.resolve(),
      begin: async () => begin(),
    },
  };
}

/** `budgeted`: descriptors that rules share. `begin`: they serve what the process before this one gave, from now on. */
function createRules(
  { clock, rng, descriptors, sourcePorts, inherited: parts }: NodeEngineOptions,
  budget: Budget,
  budgeted: number,
  targets: { readonly states: TargetStates; readonly outcomes: OutcomeTally },
  events: EngineEvents,
): { readonly rules: NodeRules; readonly begin: () => void } {
  const inherited = parts && new Inherited(parts);
  const begun = inherited && !inherited.hasBegun ? Promise.withResolvers<void>() : undefined;
  const deps = {
    clock,
    budget,
    admission: createAdmission(budget, budgeted, rng.below(2 ** 32), () => rules.size),
    // limit: one rule's flood of new sessions leaves descriptors to the others.
    mostUdpSessions: Math.min(65_536, Math.floor(descriptors / 4)),
    uuid: () => rng.uuid(),
    record: events.record.bind(events),
    ...targets,
    sources: sourcePorts && new SourcePorts(sourcePorts),
    inherited,
    begun: begun?.promise,
  };
  const rules = new NodeRules(clock, nodeCapabilities().modes, (...rule) => new NodeRule(...rule, deps));
  return { rules, begin: () => begun?.resolve() };
}
