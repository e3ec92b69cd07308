/** `edgefour control`: the API, DNS and the link, without an edge. Also what `up` starts as its child. */
import { resolve } from 'node:path';
import { openDataFolder } from '../../config/data-folder.ts';
import { type Config, readConfig } from '../../config/read.ts';
import { hostPort } from '../../config/values.ts';
import type { startControl } from '../../control/control.ts';
import { systemClock } from '../../lib/clock.ts';
import type { Door, Giver } from '../../handoff/door.ts';
import { Inherited } from '../../handoff/inherited.ts';
import { keepProgram } from '../../program/copy.ts';
import { watchProgram } from '../../program/watch.ts';
import type { Command } from '../command.ts';
import { edgeCopyOf } from '../run/edge-copy.ts';
import type { ControlFacts } from '../run/family.ts';
import { hold, LEAVING_MS } from '../run/lock.ts';
import { logFor } from '../run/log.ts';
import { offerToEndFirst } from '../run/oom.ts';
import { tell } from '../output.ts';
import { writeReadyFile } from '../run/ready-file.ts';
import { endIfOrphaned, isSupervised, runRole } from '../run/role.ts';
import { inherit, letGo, openDoorAt, sending, takeOver } from '../succession/succession.ts';
import { UPGRADE } from '../succession/upgrade-flag.ts';

/** Where the program is. */
const ROOT = resolve(import.meta.dirname, '..', '..', '..');
/** What may have to be loaded while it runs. */
const LATER = ['../../store/sqlite/writer.ts', '../../edge/last-good/generation.ts', '../explain.ts'].map(
  (path) => new URL(path, import.meta.url),
);

interface Code {
  readonly startControl: typeof startControl;
}

export const command: Command = {
  summary: 'Run the control alone: API, DNS, the link that edges join.',
  usage: '[settings]',
  roles: ['up', 'control'],
  shown: ['control'],
  flags: UPGRADE,
  run: (args) =>
    runRole<Code, ControlFacts>({
      load: () => import('../../control/control.ts'),
      start: (code, last) => start(code, args, last),
      alone(facts) {
        tell(`edgefour: control is ready: API ${facts.api}, DNS ${facts.dns || 'off'}`);
        const { readyFile } = readConfig(args, command.roles, UPGRADE).config;
        if (readyFile !== undefined) writeReadyFile(readyFile, facts);
      },
    }),
};

async function start({ startControl }: Code, args: readonly string[], last: ControlFacts | undefined) {
  const { config: wanted, flags } = readConfig(args, command.roles, UPGRADE);
  const folder = openDataFolder(wanted.data);
  const log = logFor(wanted, 'control');
  offerToEndFirst();
  // order: the running one gives up its store, and with it the lock, before it answers.
  const before = flags.has('upgrade') ? await takeOver(folder.doors.control, folder.locks.control) : undefined;
  const { running, answer } = before ?? {};
  const inherited = answer && (await inherit(answer));
  const config = { ...wanted, ...placesIn(answer?.facts, wanted) };
  let lock = before?.lock ?? (await hold(folder.locks.control, LEAVING_MS, systemClock));
  // order: before the first thread, so that each is of the same version.
  await keepProgram(LATER);
  const watch = await watchProgram(ROOT, systemClock, (alarm) => log.warn(alarm), last?.program);
  const program = watch.origin;
  const tools = { log, program, edge: isSupervised() ? config.edge : undefined, edgeCopy: edgeCopyOf(folder) };
  let control = await startControl(config, folder, { ...tools, inherited });
  const { stop: _stop, retire: _retire, ...places } = control;
  const facts = { ...places, program };
  const succeeded = Promise.withResolvers<void>();
  // It may be heard of later.
  succeeded.promise.catch(() => {});
  let door: Door | undefined;
  /** What a new control was given, while it has not served. */
  let given: Inherited | undefined;
  let isGiving = false;

  async function take() {
    const { listeners, duplicate, partsOf } = await sending();
    // order: their own close when control retires and ends; these keep the ports, and who connects meanwhile waits in them.
    given = Inherited.of(listeners().map((socket) => ({ ...socket, fd: duplicate(socket.fd) })));
    await control.retire();
    await control.stop();
    lock.release();
    return { parts: partsOf(given.open(), (fd) => fd), facts: { listen: facts.listen, dns: facts.dns } };
  }
  async function takeBack(): Promise<void> {
    if (!given) return;
    log.warn('the next control did not come to serve; this one goes on');
    lock = await hold(folder.locks.control, LEAVING_MS, systemClock);
    control = await startControl({ ...config, ...placesIn(facts, config) }, folder, { ...tools, inherited: given });
    given = undefined;
  }
  const giver: Giver = {
    async answer({ ask }) {
      isGiving = true;
      if (ask === 'take') return take();
      if (ask === 'serving') await door?.close();
      return { parts: [] };
    },
    lost() {
      isGiving = false;
      endIfOrphaned();
      takeBack().catch(succeeded.reject);
    },
    gone: succeeded.resolve,
  };
  return {
    ready: Promise.resolve(facts),
    isSuccessor: running !== undefined,
    isGiving: () => isGiving,
    async commit() {
      if (running && inherited) {
        // It has no store any more, and can have none while this one has the lock: so it does not matter whether it hears.
        await running.ask('serving').catch(({ message }: Error) => log.warn('the control before', { reason: message }));
        running.close();
        await letGo(inherited);
      }
      door = await openDoorAt(folder.doors.control, giver, log);
      // order: now, because the files may be others when somebody asks.
      if (door) await sending();
    },
    succeeded: succeeded.promise,
    async stop() {
      watch.close();
      await door?.close();
      await control.stop().finally(() => lock.release());
      running?.close();
    },
  };
}

/** Where the system had chosen a port, it stays the one that the control before this one had. */
function placesIn(facts: unknown, { listen, dns }: Config): Partial<Pick<Config, 'listen' | 'dns'>> {
  const said = (facts ?? {}) as Partial<Record<'listen' | 'dns', unknown>>;
  return {
    ...(listen.port === 0 && typeof said.listen === 'string' && { listen: hostPort(said.listen) }),
    ...(dns?.port === 0 && typeof said.dns === 'string' && said.dns !== '' && { dns: hostPort(said.dns) }),
  };
}
