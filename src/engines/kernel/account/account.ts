/**
 * What the engine knows of connections that it never sees: counters read from the table, records made of what conntrack
 * tells, and the balance between the two, which outlives the process in a file. This is the door of the folder; open.ts opens
 * it, and the engine and the monitor call it.
 */
import type { Clock } from '../../../lib/clock.ts';
import type { Rng } from '../../../lib/rng.ts';
import type { Flow } from '../../../linux/netlink/conntrack.ts';
import type { Netlink } from '../../../linux/netlink/socket.ts';
import type { EngineEvents } from '../../engine.ts';
import { indexOf, isTold } from '../table/marks.ts';
import type { Contents } from '../table/sets.ts';
import { confirmEnds, type RuleAccount, startAnew, takeBackEnds } from './balance.ts';
import type { CounterFile } from './counter-file.ts';
import { DialReader, type TakeDials, type TakeUnheard } from './dials.ts';
import { readCounts, readLast, readTold } from './counts.ts';
import { openRecordLog, type RecordLogPlace } from './record-log.ts';
import { createRecorder, type Recorder } from './recorder.ts';

interface AccountedRule {
  readonly id: string;
  readonly proxy: string;
  readonly account: RuleAccount;
  readonly contents: Contents;
}

export interface Accounts {
  readonly recorder: Recorder;
  /**
   * Goes on where an earlier engine has stopped. `flows`: the connections that live. `isSuccessor`: that engine still runs,
   * and writes its own records.
   */
  adopt(flows: readonly Flow[], isSuccessor: boolean): void;
  /** Reads all counters of the table. */
  count(): void;
  /** Reads how many connections there were whose end is told. */
  countTold(): void;
  /** Reads the counters that a rule is about to lose. order: before what it has in the table becomes `after`. */
  countLast(rule: AccountedRule, after: Contents): void;
  /** Tells what has grown since the last call of how origins answer handshakes. */
  dials(take: TakeDials): void;
  /** And of datagrams that no program was there for. order: before it, so that an answer in the same look ends a row of these. */
  unheard(take: TakeUnheard): void;
  /** The counters are about the table with this handle from now on. */
  begin(handle: number): void;
  close(): void;
}

interface AccountDeps {
  readonly asking: Pick<Netlink, 'dump' | 'get'>;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly file: CounterFile;
  /** Absent: records are told only, and die with the process. */
  readonly records: RecordLogPlace | undefined;
  readonly rules: {
    readonly byId: ReadonlyMap<string, AccountedRule>;
    at(index: number): AccountedRule | undefined;
  };
  readonly events: EngineEvents;
}

export function openAccounts({ asking, clock, rng, file, records, rules, events }: AccountDeps): Accounts {
  const gone = (count: number): void =>
    events.log('error', 'connection records are gone: something removed their file', { records: count });
  const log = records && openRecordLog(records, file.batch, clock, gone);
  const recorder = createRecorder({
    now: () => clock.now(),
    uuid: () => rng.uuid(),
    write: (all) => log?.append(all),
    record: (record) => events.record(record),
    failed: (reason, records) => events.log('error', 'connection records cannot be written', { reason, records }),
    at: (index) => rules.at(index),
  });
  const dials = new DialReader(asking);
  const accountAt = (index: number): RuleAccount | undefined => rules.at(index)?.account;
  const accounts = (): RuleAccount[] => [...rules.byId.values()].map(({ account }) => account);
  return {
    recorder,
    adopt(flows, isSuccessor) {
      if (!file.isCurrent) {
        const told = flows.filter(({ mark }) => isTold(mark));
        const alive = Map.groupBy(told, ({ mark }) => accountAt(indexOf(mark)));
        for (const account of accounts()) startAnew(account, alive.get(account)?.length ?? 0);
      }
      if (log && !isSuccessor) accounts().forEach(log.isWhole() ? confirmEnds : takeBackEnds);
    },
    count: () => void readCounts(asking, accountAt),
    countTold: () => void readTold(asking, accountAt),
    countLast: ({ account, contents }, after) => readLast(asking, account, contents, after),
    dials: (take) => dials.read(take),
    unheard: (take) => dials.unheard(take),
    begin: (handle) => file.begin(handle),
    close() {
      log?.close();
      file.close();
    },
  };
}
