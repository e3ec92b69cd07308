/**
 * A number that two ends compare to see whether they hold the same records: order does not matter, and a change costs
 * one record. Against loss and mix-ups (a lost batch, a restored backup whose revisions were used twice), not against
 * an attacker. Control keeps one, each edge keeps one; they meet in the beat.
 */
import { crc32 } from 'node:zlib';
import type { RecordText } from './frames.ts';

export class Digest {
  readonly #sums = new Map<string, number>();
  #value = 0;

  /** 0 to 2^32 - 1; 0 where there are no records. */
  get value(): number {
    return this.#value;
  }

  /** `null` takes the record out. Putting the same record twice changes nothing. */
  put(record: RecordText): void {
    const before = this.#sums.get(record.key) ?? 0;
    const deleted = record.json === 'null';
    const sum = deleted ? 0 : recordSum(record);
    if (deleted) this.#sums.delete(record.key);
    else this.#sums.set(record.key, sum);
    this.#value = (this.#value - before + sum) >>> 0;
  }

  clear(): void {
    this.#sums.clear();
    this.#value = 0;
  }
}

function recordSum(record: RecordText): number {
  return mix(crc32(record.json, crc32(`${record.key}\n${record.revision}\n`)));
}

/** Murmur3's last step. CRCs alone are linear: two records that differ in the same bits would cancel each other out. */
function mix(crc: number): number {
  let h = crc ^ (crc >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
