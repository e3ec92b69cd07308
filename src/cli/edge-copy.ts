/**
 * The copy that the edge of this data folder keeps of the records it follows, as control and `backup` read it: it says what
 * a damaged store has lost. Changes nothing.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { DataFolder } from '../config/data-folder.ts';
import type { EdgeCopy, EdgeCopySource } from '../store/store.ts';

/** limit: of the file's end; one whose last line is longer is read whole. */
const END_BYTES = 1 << 20;
const START_BYTES = 4_096;

export function edgeCopyOf({ edge }: DataFolder): EdgeCopySource {
  const folder = join(edge, 'world');
  async function read(): Promise<EdgeCopy | undefined> {
    const { listGenerations, readGeneration } = await import('../edge/last-good/generation.ts');
    for (const generation of await listGenerations(folder)) {
      const found = await readGeneration(generation);
      if (typeof found === 'string') continue;
      const { world, revision, records } = found.replica;
      return { world, revision, records: [...records.values()].filter(({ value }) => !isCut(value)) };
    }
    return undefined;
  }
  return {
    read,
    async position() {
      const { listGenerations } = await import('../edge/last-good/generation.ts');
      const [newest] = await listGenerations(folder);
      if (!newest) return undefined;
      return glance(newest.path) ?? (await read());
    },
  };
}

/** A record that was too long for the link: the copy has a mark in its place. */
function isCut(value: unknown): boolean {
  return typeof (value as { oversize?: unknown } | null)?.oversize === 'string';
}

/** From the first line and the last one, as generation.ts writes them. */
function glance(path: string): Pick<EdgeCopy, 'world' | 'revision'> | undefined {
  let file: number | undefined;
  try {
    file = openSync(path, 'r');
    const { size } = fstatSync(file);
    const start = textAt(file, 0, START_BYTES);
    const world = /"kind":"hello"[^\n]*"world":"([^"]+)"/.exec(start.split('\n', 1)[0] ?? '')?.[1];
    const end = textAt(file, Math.max(0, size - END_BYTES), END_BYTES);
    const last = end.trimEnd().split('\n').at(-1) ?? '';
    const revision = /^[0-9a-f]{8} \{"kind":"(?:batch|snapshot)","revision":(\d+),/.exec(last)?.[1];
    return world === undefined || revision === undefined ? undefined : { world, revision: Number(revision) };
  } catch {
    return undefined;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

function textAt(file: number, at: number, length: number): string {
  const bytes = Buffer.alloc(length);
  return bytes.toString('utf8', 0, readSync(file, bytes, 0, length, at));
}
