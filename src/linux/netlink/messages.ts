/**
 * Netlink messages of the netfilter family as bytes: building requests, and walking what comes back. Pure and bounded:
 * lengths that make no sense end the walk. Callers: linux/netlink/socket.ts and the kernel engine.
 */

/** A message's flags (linux/netlink.h). */
export const NLM_F = { REQUEST: 1, MULTI: 2, ACK: 4, DUMP: 0x300, EXCL: 0x200, CREATE: 0x400, APPEND: 0x800 } as const;
/** Around the messages of one transaction (linux/netfilter/nfnetlink.h). */
export const NFNL_MSG_BATCH = { BEGIN: 0x10, END: 0x11 } as const;
export const NLMSG = { ERROR: 2, DONE: 3, OVERRUN: 4 } as const;
/** nlmsghdr and nfgenmsg. */
export const HEADER_BYTES = 20;

export interface Attribute {
  readonly type: number;
  readonly value: Uint8Array | readonly Attribute[];
}

const NESTED = 0x8000;

export function attribute(type: number, value: Uint8Array | readonly Attribute[]): Attribute {
  return { type, value };
}

/** A number in network order, which is what netfilter's attributes hold. */
export function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

export function u64(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
  return bytes;
}

export function u16(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value & 255);
}

/** With the final zero that the kernel wants. */
export function text(value: string): Uint8Array {
  return Buffer.from(`${value}\0`, 'latin1');
}

export interface Message {
  /** Subsystem << 8 | message. */
  readonly type: number;
  readonly flags: number;
  /** AF_UNSPEC, AF_INET, AF_INET6, NFPROTO_INET … */
  readonly family: number;
  /** Of a batch: its subsystem. */
  readonly resource?: number;
  readonly attributes: readonly Attribute[];
}

export function encode({ type, flags, family, resource = 0, attributes }: Message, sequence = 0): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + sizeOf(attributes));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length, true);
  view.setUint16(4, type, true);
  view.setUint16(6, flags, true);
  view.setUint32(8, sequence, true);
  view.setUint8(16, family);
  view.setUint16(18, resource);
  write(bytes, view, HEADER_BYTES, attributes);
  return bytes;
}

const aligned = (length: number): number => (length + 3) & ~3;

function sizeOf(attributes: readonly Attribute[]): number {
  return attributes.reduce((sum, one) => sum + aligned(4 + valueSize(one)), 0);
}

function valueSize({ value }: Attribute): number {
  return value instanceof Uint8Array ? value.length : sizeOf(value);
}

function write(bytes: Uint8Array, view: DataView, start: number, attributes: readonly Attribute[]): void {
  let at = start;
  for (const one of attributes) {
    const size = 4 + valueSize(one);
    const isBytes = one.value instanceof Uint8Array;
    view.setUint16(at, size, true);
    view.setUint16(at + 2, isBytes ? one.type : one.type | NESTED, true);
    if (one.value instanceof Uint8Array) bytes.set(one.value, at + 4);
    else write(bytes, view, at + 4, one.value);
    at += aligned(size);
  }
}

/** `body`: where the attributes begin. `code` of an error or an acknowledgement (0): minus an errno. */
type Seen = (message: { type: number; body: number; end: number; code: number }) => void;

/** Calls back for each whole message in the first `length` bytes. */
export function eachMessage(view: DataView, length: number, seen: Seen): void {
  for (let at = 0; at + 16 <= length;) {
    const size = view.getUint32(at, true);
    const end = at + size;
    if (size < 16 || end > length) return;
    const type = view.getUint16(at + 4, true);
    const code = (type === NLMSG.ERROR || type === NLMSG.DONE) && size >= 20 ? view.getInt32(at + 16, true) : 0;
    seen({ type, body: Math.min(at + HEADER_BYTES, end), end, code });
    at += aligned(size);
  }
}

/** Calls back with type and place of each attribute in [from, to). */
export function eachAttribute(
  view: DataView,
  from: number,
  to: number,
  seen: (type: number, at: number, end: number) => void,
): void {
  for (let at = from; at + 4 <= to;) {
    const size = view.getUint16(at, true);
    const end = at + size;
    if (size < 4 || end > to) return;
    seen(view.getUint16(at + 2, true) & 0x3fff, at + 4, end);
    at += aligned(size);
  }
}

/** Where the attributes of one message or nest are, by type, without an object per event. */
export class Places {
  /** limit: conntrack has 27 kinds, a nest less. */
  readonly #at = new Int32Array(32);
  readonly #end = new Int32Array(32);

  /** Of [from, to); lengths that make no sense end the walk. What was found before is forgotten. */
  find(view: DataView, from: number, to: number): void {
    this.#at.fill(0);
    for (let at = from; at + 4 <= to;) {
      const size = view.getUint16(at, true);
      const end = at + size;
      if (size < 4 || end > to) return;
      const type = view.getUint16(at + 2, true) & 0x3fff;
      if (type < 32) {
        this.#at[type] = at + 4;
        this.#end[type] = end;
      }
      at += aligned(size);
    }
  }

  has(type: number): boolean {
    return this.#at[type] !== 0;
  }

  /** Where its value begins; 0: it has none, or not of `length` bytes where that is given. */
  at(type: number, length?: number): number {
    const at = this.#at[type] ?? 0;
    return length === undefined || (this.#end[type] ?? 0) - at === length ? at : 0;
  }

  end(type: number): number {
    return this.has(type) ? (this.#end[type] ?? 0) : 0;
  }
}
