/**
 * Binds sockets on their way to an origin to source ports of ours (flow/source-ports.ts says which): in the ring where the
 * kernel can (Linux 6.11), else by calls of their own. One per worker, for dial.ts. It refuses to choose again when a port is
 * refused.
 */
import { bindTo, close, setsockopt, socket } from '../../../linux/ffi/libc.ts';
import { SourcePorts } from '../../flow/source-ports.ts';
import { AF_INET, SOCK_CLOEXEC, SOCK_STREAM, SOL_SOCKET, SO_REUSEADDR } from '../../../linux/abi.ts';
import { Names } from '../ring/names.ts';
import { bindName } from '../ring/operations.ts';
import type { OptionSetter } from '../ring/options.ts';
import type { Ring } from '../ring/ring.ts';
import { NAME_BYTES, sizeOfFamily } from '../../../linux/sockaddr.ts';

const ON = Int32Array.of(1);

export class PortBinder {
  readonly #ring: Ring;
  readonly #setOption: OptionSetter;
  readonly #ports: SourcePorts | undefined;
  /** A name per submission that may be pending: the kernel reads it when the queue is submitted. */
  readonly #names: Names;
  readonly #inRing: boolean;
  #used = 0;

  /** The ring is fresh: nothing else is under way. */
  constructor(ring: Ring, setOption: OptionSetter, submissions: number, memory: SharedArrayBuffer | undefined) {
    this.#ring = ring;
    this.#setOption = setOption;
    this.#ports = memory && new SourcePorts(memory);
    this.#names = new Names(submissions);
    this.#inRing = setOption.inRing && bindsInRing(ring, this.#names);
  }

  /** The next port towards this destination, 0: the system is to choose. */
  port(target: number, originPort: number, refusals: number): number {
    return this.#ports?.next(Math.imul(target, 65_537) + originPort, refusals) ?? 0;
  }

  /**
   * Before the connect, which must be the next thing submitted: where the ring refuses the port it is cancelled, and
   * OP.BIND completes. Minus the errno where the port was refused at once. Port 0: the system chooses; then, too, a rule
   * may listen on it later.
   */
  bind(fd: number, family: number, port: number, slot: number, generation: number, attempt: number): number {
    if (port === 0 || this.#inRing) this.#setOption(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    else setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, ON, 4);
    if (port === 0) return 0;
    const size = sizeOfFamily(family);
    const { bytes, slab } = this.#names;
    const at = this.#used;
    this.#used = (at + NAME_BYTES) % bytes.length;
    bytes[at] = family;
    bytes[at + 2] = port >> 8;
    bytes[at + 3] = port & 255;
    if (!this.#inRing) return bindTo(fd, slab.address + at, size);
    bindName(this.#ring, fd, slab, at, size, slot, generation, attempt);
    return 0;
  }

  release(): void {
    this.#names.release();
  }
}

/** Success posts no completion, failure does: after a call that waits for nothing, none means that it works. */
function bindsInRing(ring: Ring, { bytes, slab }: Names): boolean {
  const fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  bytes[0] = AF_INET;
  bindName(ring, fd, slab, 0, sizeOfFamily(AF_INET), 0, 0, 0);
  ring.enter(0, 0);
  const head = ring.cqHead();
  const works = ring.cqTail() === head;
  ring.advance(ring.cqTail());
  close(fd);
  bytes[0] = 0;
  return works;
}
