/**
 * The engines of this program: an engine is a folder and a row here. Says how each is made and in which order they are
 * chosen; whether one works on this machine, it says itself. Read by the edge and by what hosts engines.
 */
import type { Mode } from '../domain/l4-rule/modes.ts';
import type { EngineFactory } from './engine.ts';
import { lazyEngine } from './hosting/lazy-engine.ts';
import { hostEngine } from './hosting/worker-engine.ts';
import { kernelFactory } from './kernel/create.ts';
import { nodeCapabilities } from './node/capabilities.ts';
import type { TableOwner } from './table-owner.ts';
import { createUringEngine } from './uring/engine.ts';

/** What an edge has for its engines. */
interface EngineSettings {
  /** `--engine`: `auto`, or a name. */
  readonly engine: string;
  /** Rules in the kernel end with this edge. */
  readonly flush: boolean;
  readonly fastPath?: boolean | undefined;
  readonly toaKinds?: { readonly v4: number; readonly v6: number } | undefined;
  /** flow/source-ports.ts. */
  readonly sourcePorts: SharedArrayBuffer;
  readonly tables: TableOwner;
  /** For what the kernel engine has counted. */
  readonly counterFile: string;
  /** Where connection records go, and how much of them all there may be. */
  readonly records: { readonly folder: string; readonly capBytes: number };
}

interface Row {
  readonly name: string;
  /** Modes that no other engine can ever do, so that a refusal names what to look at. */
  readonly alone: readonly Mode[];
  factory(settings: EngineSettings): EngineFactory;
}

const NODE = { module: new URL('./node/engine.ts', import.meta.url).href, factory: 'createNodeEngine' };

/** order: from the one that works everywhere to the cheapest per connection; the choice begins at the end. */
const ENGINES = [
  {
    name: 'node',
    alone: [],
    factory:
      ({ sourcePorts }) =>
      async (events, inheritance) =>
        lazyEngine('node', nodeCapabilities(), () => {
          const sockets = inheritance && { parts: inheritance.sockets.parts };
          return hostEngine('node', { ...NODE, options: { sourcePorts, sockets } }, events);
        }),
  },
  {
    name: 'uring',
    alone: ['TOA'],
    // It has threads of its own; this one only tells them what to do.
    factory:
      ({ engine, toaKinds, sourcePorts }) =>
      (events, inheritance) =>
        createUringEngine(events, engine === 'node' ? undefined : inheritance, { toaKinds, sourcePorts }),
  },
  {
    name: 'kernel',
    alone: [],
    factory: ({ engine, flush, fastPath, counterFile, records, tables }) =>
      kernelFactory(
        {
          use: engine === 'kernel' ? 'by name' : engine === 'auto' ? 'auto' : 'no',
          onStop: flush ? 'flush' : 'keep',
          ...(fastPath !== undefined && { fastPath }),
          counterFile,
          records,
        },
        tables,
      ),
  },
] as const satisfies readonly Row[];

export type EngineName = (typeof ENGINES)[number]['name'];
export type EngineSetting = 'auto' | EngineName;
export type EngineFactories = Readonly<Partial<Record<EngineName, EngineFactory>>>;

export const ENGINE_NAMES: readonly EngineName[] = ENGINES.map(({ name }) => name);
/** Which engine alone can do a mode. */
export const ALONE: Readonly<Partial<Record<Mode, EngineName>>> = Object.fromEntries(
  ENGINES.flatMap(({ name, alone }) => alone.map((mode) => [mode, name])),
);

export function engineFactories(settings: EngineSettings): EngineFactories {
  return Object.fromEntries(ENGINES.map(({ name, factory }) => [name, factory(settings)]));
}
