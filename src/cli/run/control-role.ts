/**
 * Control as the role of this process: started on its data folder, alone or after the running one, and handed over to the
 * next one. It gives up its store before the next one opens it, and starts again where that one does not come to serve.
 * What control does is control/control.ts; called by `edgefour control`.
 */
import { resolve } from 'node:path';
import { type DataFolder, openDataFolder } from '../../config/data-folder.ts';
import type { Config } from '../../config/read.ts';
import { hostPort } from '../../config/values.ts';
import type { startControl } from '../../control/control.ts';
import { Inherited } from '../../handoff/inherited.ts';
import type { Answer } from '../../handoff/predecessor.ts';
import { systemClock } from '../../lib/clock.ts';
import type { Log } from '../../observe/log.ts';
import { keepProgram } from '../../program/copy.ts';
import { type Program, watchProgram } from '../../program/watch.ts';
import { edgeCopyOf } from '../edge-copy.ts';
import { type HandedOver, Handover, NOTHING } from '../succession/handover.ts';
import { type RoleStart, startAlone, takeOver } from '../succession/role-start.ts';
import { answers, closeRest, inherit } from '../succession/sockets.ts';
import type { ControlFacts } from './ipc.ts';
import { logFor } from './log.ts';
import { raiseOomScore } from './oom-score.ts';
import type { Running } from './role.ts';
import { endIfOrphaned, isSupervised } from './superior.ts';

/** Where the program is. */
const ROOT = resolve(import.meta.dirname, '..', '..', '..');
/** What may have to be loaded while it runs. */
const LATER = ['../../store/sqlite/writer.ts', '../../edge/last-good/generation.ts', '../explain.ts'].map(
  (path) => new URL(path, import.meta.url),
);

export interface ControlCode {
  readonly startControl: typeof startControl;
}

interface Asked {
  readonly config: Config;
  readonly isUpgrade: boolean;
  /** What a control that died had told. */
  readonly last: ControlFacts | undefined;
}

type Control = Awaited<ReturnType<typeof startControl>>;
/** Control on these sockets; undefined: on new ones. May be called again after it has stopped. */
type Open = (places: Places, sockets: Inherited | undefined) => Promise<Control>;
type Places = Partial<Pick<Config, 'listen' | 'dns'>>;

/** Throws Usage. */
export async function startControlRole(
  code: ControlCode,
  { config, isUpgrade, last }: Asked,
): Promise<Running<ControlFacts>> {
  const folder = openDataFolder(config.data);
  const log = logFor(config, 'control');
  raiseOomScore();
  // order: the running one gives up its store, and with it the lock, before it answers.
  const start = isUpgrade
    ? await takeOver(folder.doors.control, folder.locks.control)
    : await startAlone(folder.locks.control);
  const sockets = start.answer && (await inherit(start.answer));
  if (!start.lock) await start.takeLock();
  // order: before the first thread, so that each is of the same version.
  await keepProgram(LATER);
  const watch = await watchProgram(ROOT, systemClock, (alarm) => log.warn(alarm), last?.program);
  const open = opener(code, config, folder, log, watch.origin);
  const control = await open(placesIn(start.answer?.facts, config), sockets);
  const { stop: _stop, retire: _retire, ...places } = control;
  const facts = { ...places, program: watch.origin };
  const again = (kept: Inherited) => open(placesIn(facts, config), kept);
  const handed = new HandedControl(control, again, start, facts, log);
  const handover = new Handover(handed);
  return {
    ready: Promise.resolve(facts),
    isSuccessor: start.isSuccessor,
    get isHandingOver() {
      return handover.isUnderWay;
    },
    gone: handover.gone,
    async begin() {
      if (sockets) {
        sockets.begin();
        // It has no store any more, and can have none while this one has the lock: so it does not matter whether it hears.
        await start.ask('pause').catch(({ message }: Error) => log.warn('the control before', { reason: message }));
        start.close();
        await closeRest(sockets);
      }
      await handover.open(folder.doors.control, log);
    },
    async stop() {
      watch.close();
      await handover.close();
      await handed.stop();
      start.close();
    },
  };
}

function opener(
  { startControl }: ControlCode,
  config: Config,
  folder: DataFolder,
  log: Log,
  program: Program | undefined,
): Open {
  const edge = isSupervised() ? config.edge : undefined;
  const tools = { log, program, edge, edgeCopy: edgeCopyOf(folder) };
  return (places, inherited) => startControl({ ...config, ...places }, folder, { ...tools, inherited });
}

/** The running control: as it serves, and as the next one takes it over. */
class HandedControl implements HandedOver {
  #control: Control;
  readonly #again: (kept: Inherited) => Promise<Control>;
  readonly #start: RoleStart;
  readonly #facts: ControlFacts;
  readonly #log: Log;
  /** The ports, while the next one has not served. */
  #kept: Inherited | undefined;

  constructor(
    control: Control,
    again: (kept: Inherited) => Promise<Control>,
    start: RoleStart,
    facts: ControlFacts,
    log: Log,
  ) {
    this.#control = control;
    this.#again = again;
    this.#start = start;
    this.#facts = facts;
    this.#log = log;
  }

  async rest(): Promise<Answer> {
    const { listeners, duplicate, partsOf } = await answers();
    // order: control's own close when it retires and ends; these keep the ports, and clients that connect wait in them.
    const kept = Inherited.of(listeners().map((socket) => ({ ...socket, fd: duplicate(socket.fd) })));
    this.#kept = kept;
    await this.#control.retire();
    await this.#control.stop();
    this.#start.release();
    const { listen, dns } = this.#facts;
    return { parts: partsOf(kept.open(), (fd) => fd), facts: { listen, dns } };
  }

  handOver(): Promise<Answer> {
    return Promise.resolve(NOTHING);
  }

  async pause(): Promise<void> {}

  async resume(): Promise<void> {
    endIfOrphaned();
    if (!this.#kept) return;
    this.#log.warn('the next control did not come to serve; this one goes on');
    await this.#start.takeLock();
    this.#kept.begin();
    this.#control = await this.#again(this.#kept);
    this.#kept = undefined;
  }

  async stop(): Promise<void> {
    await this.#control.stop().finally(() => this.#start.release());
  }
}

/** Where the system had chosen a port, it stays the one that the control before this one had. */
function placesIn(facts: unknown, { listen, dns }: Config): Places {
  const said = (facts ?? {}) as Partial<Record<'listen' | 'dns', unknown>>;
  return {
    ...(listen.port === 0 && typeof said.listen === 'string' && { listen: hostPort(said.listen) }),
    ...(dns?.port === 0 && typeof said.dns === 'string' && said.dns !== '' && { dns: hostPort(said.dns) }),
  };
}
