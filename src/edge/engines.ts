/**
 * The engines of one edge: made with its settings, and with where their news goes. Records go to files and to control;
 * listeners that go down by themselves are told to the part that listens. The agent makes them.
 */
import { join } from 'node:path';
import type { Applied, TargetOutcomes } from '../engines/engine.ts';
import { type EngineSet, openEngines } from '../engines/hosting/engine-set.ts';
import { type EngineFactories, engineFactories, type EngineName } from '../engines/registry.ts';
import type { ConnectionRecord } from '../domain/fact/fact.ts';
import { Signal } from '../lib/signal.ts';
import type { Log } from '../observe/log.ts';
import type { EdgeConfig } from './edge.ts';
import type { Predecessor } from './predecessor.ts';
import { RECORD_FILES_BYTES, type Records } from './report/records.ts';
import type { EdgePorts } from './source-ports.ts';
import type { Tables } from './tables/tables.ts';

interface EngineTools {
  /** Default: every engine there is. */
  readonly factories: EngineFactories | undefined;
  readonly tables: Tables;
  readonly ports: EdgePorts;
  readonly records: Records;
  readonly predecessor: Predecessor;
  readonly log: Log;
}

export interface EdgeEngines extends EngineSet {
  /** How dials to origins went, by their numbers. */
  readonly outcomes: Signal<readonly TargetOutcomes[]>;
  /** A listener went down by itself, or is back. */
  readonly listeners: Signal<{ readonly engine: EngineName; readonly id: string; readonly state: Applied }>;
}

export async function openEdgeEngines(config: EdgeConfig, tools: EngineTools): Promise<EdgeEngines> {
  const { records, predecessor, log } = tools;
  const listeners: EdgeEngines['listeners'] = new Signal();
  const outcomes: EdgeEngines['outcomes'] = new Signal();
  const factories = tools.factories ?? factoriesOf(config, tools);
  const events = {
    record: (engine: EngineName, record: ConnectionRecord) => records.write(engine, record),
    listener: (engine: EngineName, id: string, state: Applied) => listeners.tell({ engine, id, state }),
    outcomes: (batch: readonly TargetOutcomes[]) => outcomes.tell(batch),
  };
  return { ...(await openEngines(factories, log, events, predecessor.inheritance)), listeners, outcomes };
}

function factoriesOf(config: EdgeConfig, { tables, ports }: EngineTools): EngineFactories {
  const { engine, flush = false, fastPath, toaKinds } = config;
  const folder = join(config.dataDir, 'edge');
  const records = { folder: join(folder, 'records'), capBytes: RECORD_FILES_BYTES };
  const counterFile = join(folder, 'kernel-books');
  return engineFactories({
    engine,
    flush,
    fastPath,
    toaKinds,
    sourcePorts: ports.memory,
    tables,
    counterFile,
    records,
  });
}
