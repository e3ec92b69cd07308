/**
 * How far the edge is: a revision counts as applied once all of its pieces, and all revisions before it, are settled. Pure.
 * reconcile.ts begins each revision and settles it piece by piece.
 */
export interface Pending {
  readonly revision: number;
  pieces: number;
}

export class Watermark {
  #open: Pending[] = [];
  #applied = 0;

  /** 0 until something is applied; within one history it never goes down. */
  get applied(): number {
    return this.#applied;
  }

  /** No revision is under way. */
  get settled(): boolean {
    return this.#open.length === 0;
  }

  /** Revisions come in order. A new one has one piece, its opener's own: settle() that when all pieces are added. */
  begin(revision: number): Pending {
    const pending = { revision, pieces: 1 };
    this.#open.push(pending);
    return pending;
  }

  /** One more piece to wait for. */
  add(pending: Pending): Pending {
    pending.pieces += 1;
    return pending;
  }

  settle(pending: Pending): void {
    pending.pieces -= 1;
    let done = 0;
    for (const { pieces, revision } of this.#open) {
      if (pieces > 0) break;
      this.#applied = revision;
      done += 1;
    }
    if (done > 0) this.#open.splice(0, done);
  }

  /** Another history starts: revisions of the old one say nothing about it. */
  restart(): void {
    this.#open = [];
    this.#applied = 0;
  }
}
