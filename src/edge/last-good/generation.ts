/**
 * One file of the edge's own copy of its world: a snapshot and the revisions after it, as checksummed lines of the frames
 * that the link carries. Reading trusts nothing: it gives the newest state that is proven, or none. Files are written
 * beside their place and renamed, so a file under its own name has had its whole snapshot on the disk once.
 */
import { type FileHandle, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { LINK_VERSION } from '../../link/contract.ts';
import { decodeFrame, encodeFrame, encodeSnapshot, MAX_LINE, recordText } from '../../link/frames.ts';
import { createLineSplitter } from '../../link/lines.ts';
import { Replica } from '../../link/replica.ts';
import { CHAIN_START, type Chain, checked, CHECKSUM_BYTES, withChecksum } from './line-checksum.ts';

export interface Generation {
  readonly number: number;
  readonly path: string;
}

/** An open file that takes more revisions. */
export interface Tail {
  readonly file: FileHandle;
  chain: Chain;
  bytes: number;
}

export interface Recovered {
  readonly replica: Replica;
  readonly chain: Chain;
  readonly bytes: number;
  /** What is wrong after that state; undefined: the file is whole. */
  readonly damage?: string;
}

const NAME = /^(\d{10})\.world$/;
const CHUNK = 1 << 20;

/** Newest first. The folder may be missing. */
export async function listGenerations(folder: string): Promise<Generation[]> {
  const names = await readdir(folder).catch(() => []);
  const found = names.flatMap((name) => {
    const match = NAME.exec(name);
    return match ? [{ number: Number(match[1]), path: join(folder, name) }] : [];
  });
  return found.toSorted((a, b) => b.number - a.number);
}

/** The state the file proves; or, as text, why it proves none. */
export async function readGeneration(generation: Generation): Promise<Recovered | string> {
  const replica = new Replica();
  const splitter = createLineSplitter(MAX_LINE + CHECKSUM_BYTES);
  let chain = CHAIN_START;
  let bytes = 0;

  /** Why the line can't be what was written; undefined: it is, and the replica has taken it. */
  function take(line: Uint8Array): string | undefined {
    const proven = checked(line, chain);
    if (!proven) return 'its checksum is wrong';
    const frame = decodeFrame(proven.body);
    const step = 'bad' in frame ? ({ kind: 'broken', reason: frame.bad } as const) : replica.accept(frame);
    if (step.kind === 'broken') return step.reason;
    chain = proven.chain;
    bytes += line.length + 1;
    return undefined;
  }
  function end(damage?: string): Recovered | string {
    if (replica.world === '') return damage ?? 'its snapshot is not complete';
    return damage === undefined ? { replica, chain, bytes } : { replica, chain, bytes, damage };
  }
  let file: FileHandle | undefined;
  try {
    file = await open(generation.path, 'r');
    for await (const chunk of file.createReadStream({ highWaterMark: CHUNK }) as AsyncIterable<Buffer>) {
      const lines = splitter.push(chunk);
      if (!lines) return end(`the line at byte ${bytes} has no end`);
      for (const line of lines) {
        const wrong = take(line);
        if (wrong !== undefined) return end(`the line at byte ${bytes}: ${wrong}`);
      }
    }
  } catch (error) {
    return end((error as Error).message);
  } finally {
    await file?.close().catch(() => {});
  }
  return end(splitter.pending > 0 ? `it ends inside the line at byte ${bytes}` : undefined);
}

/** A new file with the replica as it is now; on the disk, under its name, when this resolves. */
export async function writeGeneration(generation: Generation, replica: Replica): Promise<Tail> {
  const { world, revision } = replica;
  const records = [...replica.records.values()];
  const file = await open(`${generation.path}.new`, 'w', 0o600);
  const tail: Tail = { file, chain: CHAIN_START, bytes: 0 };
  function* texts() {
    for (const { key, value, revision: at } of records) yield recordText(key, value, at);
  }
  try {
    await appendLines(tail, [encodeFrame({ kind: 'hello', link: LINK_VERSION, version: '', world })]);
    for (const line of encodeSnapshot(revision, texts(), true)) await appendLines(tail, [line]);
    await file.sync();
    await rename(`${generation.path}.new`, generation.path);
    await syncFolder(join(generation.path, '..'));
    return tail;
  } catch (error) {
    await file.close().catch(() => {});
    await rm(`${generation.path}.new`, { force: true }).catch(() => {});
    throw error;
  }
}

/** Goes on with a file that was read whole. */
export async function openTail(generation: Generation, { chain, bytes }: Recovered): Promise<Tail> {
  return { file: await open(generation.path, 'a', 0o600), chain, bytes };
}

/** Not on the disk before `tail.file.datasync()`. After a rejection the tail must not be used again. */
export async function appendLines(tail: Tail, texts: readonly string[]): Promise<void> {
  let { chain } = tail;
  let all = '';
  for (const text of texts) {
    const next = withChecksum(text, chain);
    chain = next.chain;
    all += next.line;
  }
  const bytes = Buffer.from(all);
  await tail.file.writeFile(bytes);
  tail.chain = chain;
  tail.bytes += bytes.length;
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
