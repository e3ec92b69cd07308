/**
 * Marks in the data folder of the rules that this edge has in the kernel: a line for each rule that a table holds, written
 * before the table is. An edge without CAP_NET_ADMIN can't look into the kernel; by its marks it knows what an earlier
 * process left there. Lines are appended, because rules change often; they are of one boot and one network namespace. Called
 * by tables.ts.
 */
import { appendFileSync, existsSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import type { Protocol } from '../../domain/l4-rule/modes.ts';
import type { PortSpan } from '../../lib/net/ports.ts';

/** Where a rule is reached. */
export interface Place {
  readonly id: string;
  readonly protocol: Protocol;
  readonly entries: readonly string[];
  readonly ports: readonly PortSpan[];
}

interface Line extends Place {
  readonly table: string;
}

export class KernelMarks {
  readonly path: string;
  readonly #lines = new Map<string, Line>();
  #appended = 0;

  constructor(path: string) {
    this.path = path;
    for (const text of readLines(path)) {
      const line = parse(text);
      if (!line) continue;
      if (line.entries.length > 0) this.#lines.set(keyOf(line.table, line.id), line);
      else this.#lines.delete(keyOf(line.table, line.id));
    }
  }

  /** Rules that a table holds. */
  *all(): Generator<Line> {
    yield* this.#lines.values();
  }

  get isThere(): boolean {
    return existsSync(this.path);
  }

  note(table: string, { id, protocol, entries, ports }: Place): void {
    const key = keyOf(table, id);
    const known = this.#lines.get(key);
    if (known && known.entries === entries && known.ports === ports) return;
    const line: Line = { table, id, protocol, entries, ports };
    if (known && textOf(known) === textOf(line)) return void this.#lines.set(key, line);
    this.#lines.set(key, line);
    this.#append(line);
  }

  drop(table: string, id: string): void {
    if (this.#lines.delete(keyOf(table, id))) this.#append({ table, id, protocol: 'TCP', entries: [], ports: [] });
  }

  /** Only those, of this table. */
  keep(table: string, isKept: (id: string) => boolean): void {
    for (const line of this.#lines.values()) if (line.table === table && !isKept(line.id)) this.drop(table, line.id);
  }

  /** No longer than it has to be; gone where nothing is left. */
  tidy(): void {
    this.#appended = 0;
    try {
      if (this.#lines.size === 0) rmSync(this.path, { force: true });
      else
        writeFileSync(this.path, [title(), ...[...this.#lines.values()].map(textOf), ''].join('\n'), { mode: 0o600 });
    } catch {
      // A full disk: the mark is missed only by an edge that later starts without the capability.
    }
  }

  #append(line: Line): void {
    if (++this.#appended > 1000 + 2 * this.#lines.size || !this.isThere) return this.tidy();
    try {
      appendFileSync(this.path, `${textOf(line)}\n`);
    } catch {
      // As in tidy().
    }
  }
}

const keyOf = (table: string, id: string): string => `${table} ${id}`;

function textOf(line: Line): string {
  return JSON.stringify(line);
}

/** A line that was being written when its process died is not one. */
function parse(text: string): Line | undefined {
  try {
    const { table, id, entries, ports, protocol } = JSON.parse(text) as Partial<Line>;
    if (typeof table !== 'string' || typeof id !== 'string' || !Array.isArray(entries) || !Array.isArray(ports)) return;
    return { table, id, entries, ports, protocol: protocol === 'UDP' ? 'UDP' : 'TCP' };
  } catch {
    return undefined;
  }
}

/** None where the file is of another boot or another network namespace. */
function readLines(path: string): string[] {
  try {
    const [first, ...lines] = readFileSync(path, 'utf8').split('\n');
    return first === title() ? lines : [];
  } catch {
    return [];
  }
}

function title(): string {
  return `${readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()} ${readlinkSync('/proc/self/ns/net')}`;
}
