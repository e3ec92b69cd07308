/**
 * The edge before this one, as far as it hands over: its sockets at once, its UDP sessions last. Without one it has nothing
 * and begins nothing. It serves nothing itself. The agent makes one.
 */
import { bindPoints } from '../engines/flow/endpoints.ts';
import type { HandedSession, Inheritance } from '../engines/engine.ts';
import type { PlannedRule } from '../plan/plan.ts';
import type { EdgeInheritance } from './edge.ts';

export class Predecessor {
  readonly #given: EdgeInheritance | undefined;
  readonly #keys: ReadonlySet<string>;
  /** For the engines; undefined: there is no predecessor. */
  readonly inheritance: Inheritance | undefined;
  readonly #sessions = new Map<number, readonly HandedSession[]>();

  constructor(given: EdgeInheritance | undefined) {
    this.#given = given;
    this.#keys = new Set(given?.sockets.parts.keys);
    this.inheritance = given && { sockets: given.sockets, sessions: this.#sessions };
  }

  get isThere(): boolean {
    return this.#given !== undefined;
  }

  /** The rule comes with sockets that the predecessor still serves. */
  serves(rule: PlannedRule): boolean {
    if (this.#keys.size === 0 || this.#given?.sockets.hasBegun) return false;
    return bindPoints(rule)
      .keys()
      .some((key) => this.#keys.has(key));
  }

  /** From here on it forwards no datagram: until engines have bound them, datagrams wait in their sockets. */
  async takeSessions(): Promise<void> {
    for (const [entry, sessions] of (await this.#given?.sessions()) ?? []) this.#sessions.set(entry, sessions);
  }

  /** It accepts nothing any more: its sockets are this edge's. */
  begin(): void {
    this.#given?.sockets.begin();
  }
}
