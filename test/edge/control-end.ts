/**
 * The control end of a link without the rest of control: a memory store, acks, and the link server on a Unix socket in
 * a folder of its own. It can go and come back while the store stays. For tests of edges and of the link itself.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLinkServer, type LinkServer } from '../../src/control/link/server.ts';
import { Acks } from '../../src/facts/acks/acks.ts';
import { CounterBook } from '../../src/facts/counters/counter-book.ts';
import { type Facts, factsOf } from '../../src/facts/facts.ts';
import { type Clock, systemClock } from '../../src/lib/clock.ts';
import type { ConnectionRecord } from '../../src/domain/fact/fact.ts';
import { silentLog } from '../../src/observe/log.ts';
import { openMemory } from '../../src/store/memory/memory.ts';
import type { Store, WatchEvent } from '../../src/store/store.ts';

export interface ControlEnd {
  readonly folder: string;
  readonly socket: string;
  readonly store: Store;
  readonly acks: Acks;
  readonly counters: CounterBook;
  readonly records: ConnectionRecord[];
  /** Of the link server that is up. */
  readonly facts: Omit<Facts, 'close'>;
  /** One commit; undefined deletes. Resolves with its revision. */
  put(changes: Readonly<Record<string, unknown>>): Promise<number>;
  up(): Promise<void>;
  /** Cuts all streams and stops listening. */
  down(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

interface ControlEndOptions {
  readonly clock?: Clock;
  readonly watchHistory?: number;
  /** What stands between the store and the link. */
  readonly through?: (store: Store) => Store;
  readonly isDown?: boolean;
  /** Stands in for this one, on its socket. */
  readonly at?: ControlEnd;
  readonly store?: Store;
}

export async function controlEnd(options: ControlEndOptions = {}): Promise<ControlEnd> {
  const { clock = systemClock, watchHistory = 10_000, through = (store) => store } = options;
  const folder = await mkdtemp(join(tmpdir(), 'e4-'));
  const socket = options.at?.socket ?? join(folder, 'link.sock');
  const store = options.store ?? openMemory({ clock: systemClock, log: silentLog, watchHistory });
  const acks = new Acks(clock);
  const counters = new CounterBook(clock);
  const records: ConnectionRecord[] = [];
  let facts = factsOf(acks, counters, clock);
  let running: { readonly http: Server; readonly link: LinkServer } | undefined;

  const end: ControlEnd = {
    folder,
    socket,
    store,
    acks,
    counters,
    records,
    get facts() {
      return facts;
    },
    async put(changes) {
      const list = Object.entries(changes).map(([key, value]) => ({ key, value }));
      const committed = await store.commit(list, []);
      return committed.ok ? committed.revision : 0;
    },
    async up() {
      // What a restart forgets is not in acks and counters.
      facts = factsOf(acks, counters, clock);
      const link = createLinkServer({
        store: through(store),
        version: 'test',
        facts,
        records: (_, batch) => records.push(...batch),
        clock,
        log: silentLog,
      });
      const http = createServer({ requestTimeout: 0 }, (request, response) => {
        if (!link.handle(request, response)) response.writeHead(404).end();
      });
      await new Promise<void>((resolve) => {
        http.listen(socket, resolve);
      });
      running = { http, link };
    },
    async down() {
      if (!running) return;
      const { http, link } = running;
      running = undefined;
      await link.close();
      const closed = new Promise((resolve) => {
        http.close(resolve);
      });
      http.closeAllConnections();
      await closed;
    },
    async [Symbol.asyncDispose]() {
      await end.down();
      await store.close();
      await rm(folder, { recursive: true });
    },
  };
  if (!options.isDown) await end.up();
  return end;
}

type Events = AsyncIterable<WatchEvent>;

/** The same store, but what watchers see goes through `wrap`; the first one (0) is control's own. */
export function watchedThrough(store: Store, wrap: (events: Events, watcher: number) => Events): Store {
  let watchers = 0;
  return {
    world: store.world,
    read: (fn) => store.read(fn),
    commit: (changes, guards) => store.commit(changes, guards),
    compact: (upTo) => store.compact(upTo),
    close: () => store.close(),
    watch: (prefixes, from, signal) => wrap(store.watch(prefixes, from, signal), watchers++),
  };
}
