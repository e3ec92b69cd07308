/**
 * The source ports of this edge: what the setting and the system allow, less the ports that its rules listen on, which it
 * follows rule by rule. The agent owns one and gives its memory to the engines that dial. Linux only: elsewhere, and where
 * the system hands out all ports itself, the system chooses.
 */
import { readFileSync } from 'node:fs';
import type { PortSpan } from '../lib/net/ports.ts';
import { dialPorts, PORT_FILES, type PortTexts } from '../linux/dial-ports.ts';
import type { Rng } from '../lib/rng.ts';
import type { RuleCounters } from '../domain/fact/fact.ts';
import type { PlannedRule } from '../plan/plan.ts';
import { allowPort, sourcePortMemory } from '../engines/flow/source-ports.ts';

const NO_PORT = 'no-source-port';

interface RuleChanges {
  readonly put: readonly Pick<PlannedRule, 'id' | 'protocol' | 'ports'>[];
  readonly drop: readonly string[];
}

/** limit: how long a connection for which no port was left is news. */
const NEWS_MS = 60_000;

export class EdgePorts {
  readonly memory: SharedArrayBuffer;
  /** Connections and datagrams so far that found no port; when the last of them was heard of, and how many there were before. */
  #missed = 0;
  #heardAt = -Infinity;
  #before = 0;
  readonly #may: Uint8Array;
  /** Rules that listen on each port. */
  readonly #rules = new Uint32Array(65_536);
  readonly #spans = new Map<string, readonly PortSpan[]>();

  constructor(spans: readonly PortSpan[], rng: Rng, texts: PortTexts = readTexts()) {
    this.#may = dialPorts(spans, texts);
    this.memory = sourcePortMemory(this.#may, (below) => rng.below(below));
  }

  /** UDP ports are another space. */
  follow({ put, drop }: RuleChanges): void {
    for (const id of [...drop, ...put.map(({ id }) => id)]) this.#count(this.#spans.get(id) ?? [], -1);
    for (const id of drop) this.#spans.delete(id);
    for (const { id, protocol, ports } of put) {
      const spans = protocol === 'TCP' ? ports : [];
      this.#spans.set(id, spans);
      this.#count(spans, 1);
    }
  }

  /** What engines have counted so far. */
  note(counters: Iterable<RuleCounters>, now: number): void {
    let missed = 0;
    for (const { ends, dropped } of counters) missed += (ends[NO_PORT] ?? 0) + (dropped[NO_PORT] ?? 0);
    if (missed <= this.#missed) return;
    if (now - this.#heardAt >= NEWS_MS) this.#before = this.#missed;
    this.#missed = missed;
    this.#heardAt = now;
  }

  alarms(now: number): string[] {
    if (now - this.#heardAt >= NEWS_MS) return [];
    const count = this.#missed - this.#before;
    return [`no source port was left for ${count} connections; give their rule more origins, or widen --source-ports`];
  }

  #count(spans: readonly PortSpan[], by: number): void {
    for (const { from, to } of spans) {
      for (let port = from; port <= to; port++) {
        this.#rules[port]! += by;
        if (this.#may[port] === 1) allowPort(this.memory, port, this.#rules[port] === 0);
      }
    }
  }
}

function readTexts(): PortTexts {
  return Object.fromEntries(PORT_FILES.map((name) => [name, read(`/proc/sys/net/ipv4/${name}`)])) as PortTexts;
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
