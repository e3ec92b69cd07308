/**
 * The edge as the role of this process: started on its data folder, alone or after the running one, and handed over to the
 * next one. What an edge does is edge/agent.ts; called by `edgefour edge`.
 */
import { resolve } from 'node:path';
import { type DataFolder, openDataFolder } from '../../config/data-folder.ts';
import type { Config } from '../../config/read.ts';
import { Usage } from '../../config/usage.ts';
import type { startEdge } from '../../edge/agent.ts';
import type { Edge, EdgeConfig } from '../../edge/edge.ts';
import type { Inherited } from '../../handoff/inherited.ts';
import type { Answer } from '../../handoff/predecessor.ts';
import { systemClock } from '../../lib/clock.ts';
import { parseLinkAddress } from '../../link/address.ts';
import type { Log } from '../../observe/log.ts';
import { keepProgram } from '../../program/copy.ts';
import { VERSION } from '../../program/version.ts';
import { watchProgram } from '../../program/watch.ts';
import { factsOf, readSessions } from '../succession/edge-sessions.ts';
import { Handover, type HandedOver } from '../succession/handover.ts';
import { type RoleStart, startAlone, takeOver } from '../succession/role-start.ts';
import { answers, closeAll, closeRest, inherit } from '../succession/sockets.ts';
import type { EdgeFacts } from './ipc.ts';
import { logFor } from './log.ts';
import type { Running } from './role.ts';
import { endIfOrphaned } from './superior.ts';

/** Where the program is. */
const ROOT = resolve(import.meta.dirname, '..', '..', '..');
/** What may have to be loaded while it runs. */
const LATER = ['../../edge/agent.ts', '../explain.ts'].map((path) => new URL(path, import.meta.url));

export interface EdgeCode {
  readonly startEdge: typeof startEdge;
}

interface Asked {
  readonly config: Config;
  readonly isUpgrade: boolean;
  /** What an edge that died had told. */
  readonly last: EdgeFacts | undefined;
}

/** Throws Usage. */
export async function startEdgeRole(code: EdgeCode, { config, isUpgrade, last }: Asked): Promise<Running<EdgeFacts>> {
  const folder = openDataFolder(config.data);
  const settings = edgeConfig(config, folder);
  // order: the running one has the lock, and serves, until this one does.
  const start = isUpgrade ? await takeOver(folder.doors.edge, folder.locks.edge) : await startAlone(folder.locks.edge);
  const sockets = start.answer && (await inherit(start.answer));
  const log = logFor(config, 'edge');
  // order: before the first thread, so that each is of the same version.
  await keepProgram(LATER);
  const program = await watchProgram(ROOT, systemClock, (alarm) => log.warn(alarm), last?.program);
  const tools = { log, clock: systemClock, alarms: () => program.alarms };
  const inheritance = sockets && { sockets, sessions: () => sessionsFrom(start) };
  const edge = await code.startEdge(settings, { ...tools, ...(inheritance && { inheritance }) });
  return new EdgeRole(edge, program, start, sockets, { door: folder.doors.edge, drainMs: config.drain * 1_000, log });
}

type Program = Awaited<ReturnType<typeof watchProgram>>;

interface Place {
  readonly door: string;
  readonly drainMs: number;
  readonly log: Log;
}

class EdgeRole implements Running<EdgeFacts> {
  readonly ready: Promise<EdgeFacts>;
  readonly #edge: Edge;
  readonly #program: Program;
  readonly #start: RoleStart;
  readonly #sockets: Inherited | undefined;
  readonly #place: Place;
  readonly #handover: Handover;

  constructor(edge: Edge, program: Program, start: RoleStart, sockets: Inherited | undefined, place: Place) {
    this.#edge = edge;
    this.#program = program;
    this.#start = start;
    this.#sockets = sockets;
    this.#place = place;
    this.#handover = new Handover(handedOver(edge, start));
    const engines = edge.engines.filter(({ unavailable }) => unavailable === undefined).map(({ name }) => name);
    this.ready = edge.ready.then(() => ({ engines, program: program.origin }));
  }

  get isSuccessor(): boolean {
    return this.#start.isSuccessor;
  }

  get isHandingOver(): boolean {
    return this.#handover.isUnderWay;
  }

  get gone(): Promise<void> {
    return this.#handover.gone;
  }

  async begin(): Promise<void> {
    if (this.#sockets) {
      await this.#start.begin();
      await this.#edge.succession.begin();
      await closeRest(this.#sockets);
    }
    await this.#handover.open(this.#place.door, this.#place.log);
  }

  async stop(): Promise<void> {
    this.#program.close();
    if (this.#start.isSuccessor && !this.#start.lock) {
      // order: the other one writes and receives again once it hears nothing; what this one accepted it drains.
      await this.#edge.succession.rest();
      await this.#edge.succession.handOver();
      this.#start.close();
    }
    await this.#handover.close();
    await this.#edge.stop(this.#place.drainMs).finally(() => this.#start.release());
  }
}

function handedOver({ succession }: Edge, start: RoleStart): HandedOver {
  return {
    async rest() {
      const { listeners, partsOf } = await answers();
      await succession.rest();
      return { parts: partsOf(listeners(), ({ fd }) => fd) };
    },
    async handOver(): Promise<Answer> {
      const { partsOf } = await answers();
      return { parts: partsOf(await succession.handOver(), ({ fd }) => fd, factsOf) };
    },
    async pause() {
      await succession.pause();
      start.release();
    },
    async resume() {
      endIfOrphaned();
      await succession.resume();
    },
  };
}

/** Asked for last: until then the running edge forwards them. */
async function sessionsFrom(start: RoleStart) {
  const { byEntry, rest } = readSessions((await start.ask('handOver'))?.parts ?? []);
  await closeAll(rest);
  return byEntry;
}

function edgeConfig(config: Config, folder: DataFolder): EdgeConfig {
  const join = config.join ?? folder.socket;
  const address = parseLinkAddress(join);
  if ('bad' in address) throw new Usage(`--join ${address.bad}.`);
  const { edge: edgeId, site, engine, records, toaKinds, originsDeny, sourcePorts } = config;
  return {
    dataDir: folder.path,
    edgeId,
    site,
    join,
    version: VERSION,
    engine,
    records,
    toaKinds,
    originsDeny,
    sourcePorts,
    flush: config.flush === 'on',
    fastPath: config.fastPath === 'on',
    newWorld: config.newWorld === 'on',
  };
}
