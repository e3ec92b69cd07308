/**
 * How far the edge is: a revision counts as applied once everything it touched, and everything before it, is settled.
 * Pure. reconcile.ts opens a mark per revision and settles it piece by piece.
 */
export interface Mark {
  readonly revision: number;
  left: number;
}

export class Ledger {
  #open: Mark[] = [];
  #applied = 0;

  /** 0 until something is; within one history it never goes down. */
  get applied(): number {
    return this.#applied;
  }

  /** Nothing is under way. */
  get settled(): boolean {
    return this.#open.length === 0;
  }

  /** Revisions come in order. The mark has one piece, the opener's own: settle() it when all pieces are added. */
  begin(revision: number): Mark {
    const mark = { revision, left: 1 };
    this.#open.push(mark);
    return mark;
  }

  /** One more piece to wait for. */
  add(mark: Mark): Mark {
    mark.left += 1;
    return mark;
  }

  settle(mark: Mark): void {
    mark.left -= 1;
    let done = 0;
    for (const { left, revision } of this.#open) {
      if (left > 0) break;
      this.#applied = revision;
      done += 1;
    }
    if (done > 0) this.#open.splice(0, done);
  }

  /** Another history starts: what was applied of the old one says nothing about it. */
  restart(): void {
    this.#open = [];
    this.#applied = 0;
  }
}
