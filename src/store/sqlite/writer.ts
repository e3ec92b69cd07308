/**
 * The only writer of a world's file: a thread that turns each message into one transaction, durable before it is
 * answered. Knows nothing of what the rows mean. Started by writer-thread.ts.
 */
import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import { addMissingSums, sumOf } from './sums.ts';
import type { Answer, Work } from './writer-thread.ts';

const port = parentPort!;
const db = new DatabaseSync(workerData as string);
db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000');
/** SQLITE_READONLY, IOERR, FULL, CANTOPEN. */
const OF_DISK = new Set([8, 10, 13, 14]);
addMissingSums(db);
const begin = db.prepare('BEGIN IMMEDIATE');
const end = db.prepare('COMMIT');
const add = db.prepare('INSERT INTO record VALUES (?, ?, ?)');
const addSum = db.prepare('INSERT OR REPLACE INTO sum VALUES (?, ?)');
const drop = db.prepare('DELETE FROM record WHERE id = ?');
const dropSum = db.prepare('DELETE FROM sum WHERE id = ?');
const compacted = db.prepare("UPDATE meta SET value = ? WHERE name = 'compacted'");

function transact(work: Work): Answer {
  try {
    begin.run();
    for (const { id, key, text } of work.rows) {
      add.run(id, key, text);
      addSum.run(id, sumOf(id, key, text));
    }
    for (const id of work.forget) {
      drop.run(id);
      dropSum.run(id);
    }
    if (work.compacted !== undefined) compacted.run(String(work.compacted));
    end.run();
    return { done: true };
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    const { errcode = 0, message } = error as { errcode?: number; message: string };
    return { failed: message, disk: OF_DISK.has(errcode & 0xff) };
  }
}

port.on('message', (work: Work | null) => {
  if (work !== null) {
    port.postMessage(transact(work));
    return;
  }
  db.close();
  port.close();
});
port.postMessage({ done: true } satisfies Answer);
