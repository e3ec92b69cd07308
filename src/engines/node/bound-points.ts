/**
 * The sockets that a rule listens on, by address and port: opened anew or taken from the process before this one, and
 * closed with what came in by them. It refuses to serve; `open` does. Made by rule.ts.
 */
import type { EndCause } from '../../domain/fact/fact.ts';
import type { Inherited } from '../../handoff/inherited.ts';
import type { BindPoint } from '../flow/endpoints.ts';
import { bindEach, type BindFailure } from './bind.ts';
import type { Budget } from './budget.ts';

/** Closes the socket; `cause`: what its UDP sessions end with. */
type Close = (cause: EndCause) => void;

interface BoundPointsDeps {
  /** Opens a socket and serves it. `fd`: it is bound already. Rejects with the system's error. */
  readonly open: (point: BindPoint, fd?: number) => Promise<Close>;
  readonly budget: Budget;
  /** Sockets of the process before this one; they are served once `begun`. */
  readonly inherited: Inherited | undefined;
  readonly begun: Promise<void> | undefined;
}

export class BoundPoints {
  readonly #deps: BoundPointsDeps;
  readonly #closes = new Map<string, Close>();

  constructor(deps: BoundPointsDeps) {
    this.#deps = deps;
  }

  has(point: BindPoint): boolean {
    return this.#closes.has(point.key);
  }

  /** Binds those that are not bound yet; stops at the first that fails and says which. */
  async bind(points: Iterable<BindPoint>): Promise<BindFailure | undefined> {
    const missing = [...points].filter((point) => !this.has(point));
    const [first] = missing;
    // Listening must leave something to serve with: a range that would eat up the descriptors is out of descriptors.
    if (first && missing.length > this.#deps.budget.room) return { point: first, code: 'EMFILE' };
    return bindEach(missing, (point) => this.#bind(point));
  }

  unbind(cause: EndCause, keep: { has(key: string): boolean } = new Set()): void {
    for (const [key, close] of this.#closes) {
      if (keep.has(key)) continue;
      this.#closes.delete(key);
      close(cause);
    }
  }

  async #bind(point: BindPoint): Promise<void> {
    const { open, inherited, begun } = this.#deps;
    const sockets = inherited?.take(point.key) ?? [];
    if (sockets.length === 0) return void this.#closes.set(point.key, await open(point));
    // All of them: the system goes on putting connections into each.
    const opening = (begun ?? Promise.resolve()).then(() => Promise.all(sockets.map(({ fd }) => open(point, fd))));
    // order: one that is not wanted any more by then is opened and closed in one turn, and takes nothing.
    this.#closes.set(point.key, (cause) => void opening.then((closes) => closes.forEach((close) => close(cause))));
    if (!begun) await opening;
  }
}
