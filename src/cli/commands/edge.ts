/** `edgefour edge`: one edge, which follows a control. Also what `up` starts as its child. */
import { resolve } from 'node:path';
import { openDataFolder } from '../../config/data-folder.ts';
import { readConfig } from '../../config/read.ts';
import { Usage } from '../../config/usage.ts';
import type { startEdge } from '../../edge/agent.ts';
import type { Door, Giver } from '../../handoff/door.ts';
import { systemClock } from '../../lib/clock.ts';
import { keepProgram } from '../../program/copy.ts';
import { watchProgram } from '../../program/watch.ts';
import { VERSION } from '../../program/version.ts';
import { parseLinkAddress } from '../../link/address.ts';
import type { Command } from '../command.ts';
import { factsOf, readSessions } from '../succession/edge-sessions.ts';
import type { EdgeFacts } from '../run/family.ts';
import { hold, LEAVING_MS } from '../run/lock.ts';
import { logFor } from '../run/log.ts';
import { tell } from '../output.ts';
import { endIfOrphaned, runRole } from '../run/role.ts';
import {
  askOrOutlive,
  closeAll,
  inherit,
  letGo,
  openDoorAt,
  sending,
  succeed,
  takeOver,
} from '../succession/succession.ts';
import { UPGRADE } from '../succession/upgrade-flag.ts';

/** Where the program is. */
const ROOT = resolve(import.meta.dirname, '..', '..', '..');
/** What may have to be loaded while it runs. */
const LATER = ['../../edge/agent.ts', '../explain.ts'].map((path) => new URL(path, import.meta.url));

interface Code {
  readonly startEdge: typeof startEdge;
}

export const command: Command = {
  summary: 'Run one edge alone; it follows a control and forwards.',
  usage: '[--join SOCKET|URL] [settings]',
  roles: ['up', 'edge'],
  shown: ['edge'],
  flags: UPGRADE,
  run: (args) =>
    runRole<Code, EdgeFacts>({
      load: () => import('../../edge/agent.ts'),
      start: (code, last) => start(code, args, last),
      alone: ({ engines }) => tell(`edgefour: the edge is ready (${engines.join(', ')})`),
    }),
};

async function start({ startEdge }: Code, args: readonly string[], last: EdgeFacts | undefined) {
  const { config, flags } = readConfig(args, command.roles, UPGRADE);
  const folder = openDataFolder(config.data);
  const join = config.join ?? folder.socket;
  const address = parseLinkAddress(join);
  if ('bad' in address) throw new Usage(`--join ${address.bad}.`);
  // order: the running one has the lock, and serves, until this one does.
  const before = flags.has('upgrade')
    ? await takeOver(folder.doors.edge, folder.locks.edge)
    : { lock: await hold(folder.locks.edge, LEAVING_MS, systemClock) };
  const { running } = before;
  let { lock } = before;
  const inherited = running && (await inherit(before.answer));
  const { edge: edgeId, site, engine, records, toaKinds, originsDeny, sourcePorts } = config;
  const flush = config.flush === 'on';
  const fastPath = config.fastPath === 'on';
  const newWorld = config.newWorld === 'on';
  const rules = { newWorld, engine, records, flush, fastPath, toaKinds, originsDeny, sourcePorts };
  const identity = { dataDir: folder.path, edgeId, site, join, version: VERSION };
  const log = logFor(config, 'edge');
  // order: before the first thread, so that each is of the same version.
  await keepProgram(LATER);
  const program = await watchProgram(ROOT, systemClock, (alarm) => log.warn(alarm), last?.program);
  const edge = await startEdge(
    { ...identity, ...rules },
    {
      log,
      clock: systemClock,
      alarms: () => program.alarms,
      ...(inherited && { inheritance: { sockets: inherited, sessions } }),
    },
  );
  const engines = edge.engines.filter(({ unavailable }) => unavailable === undefined).map(({ name }) => name);
  const succeeded = Promise.withResolvers<void>();
  let door: Door | undefined;
  let isGiving = false;

  async function sessions() {
    const { answer, outlived } = running ? await askOrOutlive(running, 'sessions', folder.locks.edge) : {};
    lock ??= outlived;
    const { byEntry, rest } = readSessions(answer?.parts ?? []);
    await closeAll(rest);
    return byEntry;
  }
  const giver: Giver = {
    async answer({ ask }) {
      isGiving = true;
      const { listeners, partsOf } = await sending();
      if (ask === 'take') {
        await edge.succession.rest();
        return { parts: partsOf(listeners(), ({ fd }) => fd) };
      }
      if (ask === 'sessions') return { parts: partsOf(await edge.succession.handOver(), ({ fd }) => fd, factsOf) };
      await door?.close();
      await edge.succession.pause();
      lock?.release();
      return { parts: [] };
    },
    lost() {
      isGiving = false;
      endIfOrphaned();
      void edge.succession.resume();
    },
    gone: succeeded.resolve,
  };
  return {
    ready: edge.ready.then(() => ({ engines, program: program.origin })),
    isSuccessor: running !== undefined,
    isGiving: () => isGiving,
    async commit() {
      if (running && inherited) {
        lock ??= await succeed(running, folder.locks.edge);
        running.close();
        await edge.succession.begin();
        await letGo(inherited);
      }
      door = await openDoorAt(folder.doors.edge, giver, log);
      // order: now, because the files may be others when somebody asks.
      if (door) await sending();
    },
    succeeded: succeeded.promise,
    async stop() {
      program.close();
      if (running && !lock) {
        // order: the other one writes and receives again once it hears nothing; what this one accepted it drains.
        await edge.succession.rest();
        await edge.succession.handOver();
        running.close();
      }
      await door?.close();
      await edge.stop(config.drain * 1_000).finally(() => lock?.release());
    },
  };
}
