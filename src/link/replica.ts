/**
 * The edge's copy of the records it follows, and the rules of a stream of frames: ordered, gap-free, whole revisions,
 * never back in time within one world. Pure: the link client feeds it what comes from control, last-good.ts what
 * comes from the disk. It says when a stream can't be believed; what to do about it is the caller's.
 */
import { type Frame, type FrameRecord, LINK_VERSION } from './contract.ts';
import { Digest } from './digest.ts';
import { type RecordText, recordText } from './frames.ts';

export type Step =
  | { readonly kind: 'none' }
  /** One revision forward. */
  | { readonly kind: 'changed'; readonly revision: number; readonly changes: readonly FrameRecord[] }
  /** Everything is new. `other`: so is its history (another world, or an older copy of it was restored). */
  | { readonly kind: 'replaced'; readonly revision: number; readonly other: boolean }
  /** The replica is as it was; the stream is of no use any more. */
  | { readonly kind: 'broken'; readonly reason: string };

/** Whether this world, with these records, may take the place of the one that is there. */
type Judge = (world: string, records: ReadonlyMap<string, FrameRecord>) => boolean;

type FrameOf<K extends Frame['kind']> = Extract<Frame, { kind: K }>;
const NONE: Step = { kind: 'none' };
const broken = (reason: string): Step => ({ kind: 'broken', reason });

export class Replica {
  #world = '';
  #revision = 0;
  #records = new Map<string, FrameRecord>();
  #digest = new Digest();
  /** World of the stream that is being read; undefined until its hello. */
  #speaker: string | undefined;
  /** The world of the stream, where it was refused: nothing of it is taken. */
  #refused = '';
  #judge: Judge = () => true;
  #arriving: { revision: number; records: Map<string, FrameRecord> } | undefined;

  /** Empty until the first hello that was followed by a world. */
  get world(): string {
    return this.#world;
  }
  get revision(): number {
    return this.#revision;
  }
  get records(): ReadonlyMap<string, FrameRecord> {
    return this.#records;
  }
  get digest(): number {
    return this.#digest.value;
  }

  /** A world that `control` offers and this edge does not take; '' where there is none. */
  get refused(): string {
    return this.#refused;
  }

  /** Asked before another history replaces this one. */
  judgeBy(judge: Judge): void {
    this.#judge = judge;
  }

  /** A new stream starts: half a snapshot from the previous one is forgotten. */
  begin(): void {
    this.#speaker = undefined;
    this.#arriving = undefined;
  }

  accept(frame: Frame): Step {
    if (frame.kind === 'hello') return this.#hello(frame);
    if (this.#speaker === undefined) return broken(`a ${frame.kind} before the hello`);
    // Of no record.
    if (frame.kind === 'verdicts' || this.#speaker === this.#refused) return NONE;
    if (frame.kind === 'snapshot') return this.#snapshot(frame, this.#speaker);
    if (this.#arriving) return frame.kind === 'beat' ? NONE : broken('a batch inside a snapshot');
    if (this.#speaker !== this.#world) return frame.kind === 'beat' ? NONE : broken('a batch of another world');
    return frame.kind === 'beat' ? this.#beat(frame) : this.#batch(frame);
  }

  #hello(frame: FrameOf<'hello'>): Step {
    if (this.#speaker !== undefined) return broken('a second hello');
    if (frame.link !== LINK_VERSION) return broken(`control speaks link version ${frame.link}, not ${LINK_VERSION}`);
    if (frame.world === '') return broken('control does not name its world');
    this.#speaker = frame.world;
    if (this.#refused !== frame.world) this.#refused = '';
    return NONE;
  }

  #snapshot(frame: FrameOf<'snapshot'>, speaker: string): Step {
    const arriving = (this.#arriving ??= { revision: frame.revision, records: new Map() });
    if (arriving.revision !== frame.revision) return broken('parts of two snapshots');
    for (const record of frame.records) {
      if (record.revision > frame.revision) return broken(`${record.key} is newer than its snapshot`);
      if (record.value === null || arriving.records.has(record.key)) return broken(`${record.key} twice, or deleted`);
      arriving.records.set(record.key, record);
    }
    if (!frame.done) return NONE;
    const other = this.#world !== '' && (this.#world !== speaker || frame.revision < this.#revision);
    this.#arriving = undefined;
    if (other && !this.#judge(speaker, arriving.records)) {
      this.#refused = speaker;
      return NONE;
    }
    this.#refused = '';
    this.#world = speaker;
    this.#revision = frame.revision;
    this.#records = arriving.records;
    this.#digest = new Digest();
    for (const record of arriving.records.values()) this.#digest.put(asText(record));
    return { kind: 'replaced', revision: frame.revision, other };
  }

  #batch(frame: FrameOf<'batch'>): Step {
    const next = this.#revision + 1;
    if (frame.revision !== next) return broken(`revision ${frame.revision} where ${next} was due`);
    const seen = new Set<string>();
    for (const { key, revision } of frame.changes) {
      if (revision !== next || seen.has(key)) return broken(`${key} does not fit its batch`);
      seen.add(key);
    }
    for (const record of frame.changes) {
      this.#digest.put(asText(record));
      if (record.value === null) this.#records.delete(record.key);
      else this.#records.set(record.key, record);
    }
    this.#revision = next;
    return { kind: 'changed', revision: next, changes: frame.changes };
  }

  #beat(frame: FrameOf<'beat'>): Step {
    if (frame.revision !== this.#revision) return broken(`control is at ${frame.revision}, not ${this.#revision}`);
    if (frame.digest !== undefined && frame.digest !== this.digest) return broken('the records differ from control’s');
    return NONE;
  }
}

function asText(record: FrameRecord): RecordText {
  return recordText(record.key, record.value, record.revision);
}
