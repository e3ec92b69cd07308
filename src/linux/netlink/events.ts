/**
 * What the kernel tells of its own accord: a netlink socket that is a member of event groups. Nothing waits: events gather
 * in the kernel until they are taken, hundreds by one call. Those that a filter refuses never get that far. Throws where
 * the system refuses a call that a privileged process may make.
 */
import { EAGAIN, EINTR, ENOBUFS, MSG_DONTWAIT, SOL_SOCKET, SO_ATTACH_FILTER, SO_RCVBUFFORCE } from '../abi.ts';
import { eachMessage } from './messages.ts';
import { close, mapPages, setsockopt, unmap, writePointer } from '../ffi/libc.ts';
import { MessageBatch } from '../ffi/message-batch.ts';
import { must, netlinkSocket, type Take } from './socket.ts';

/** limit: a call costs as much as reading two events; beyond some hundreds nothing is saved. */
const AT_ONCE = 256;
/** limit: an event about a connection has 300 bytes, with everything a connection can have 700. What is cut off is not read. */
const EVENT_BYTES = 1024;
/** An instruction of the classic packet filter: struct sock_filter. */
export interface FilterStep {
  readonly code: number;
  readonly ifTrue?: number;
  readonly ifFalse?: number;
  readonly k: number;
}

export interface Heard {
  /** Nothing waits any more. */
  readonly isAll: boolean;
  /** The kernel had to drop some before these: its buffer was full. */
  readonly lost: boolean;
}

export class NetlinkEvents {
  readonly #fd: number;
  readonly #batch = new MessageBatch(AT_ONCE, EVENT_BYTES);

  /** `groups`: a bit mask. `bufferBytes`: how much may wait; the system doubles it for its own account. */
  constructor(groups: number, bufferBytes: number, filter: readonly FilterStep[] = []) {
    this.#fd = netlinkSocket((fd) => {
      must(setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, Uint32Array.of(bufferBytes), 4), 'SO_RCVBUFFORCE');
      if (filter.length > 0) attach(fd, filter);
    }, groups);
  }

  /** Hands over the events that wait, at most about `most`. */
  take(take: Take, most: number): Heard {
    let lost = false;
    for (let taken = 0; taken < most;) {
      const count = this.#batch.receive(this.#fd, MSG_DONTWAIT);
      if (count === -EAGAIN) return { isAll: true, lost };
      if (count === -ENOBUFS) lost = true;
      else if (count !== -EINTR) {
        must(count, 'recvmmsg');
        taken += count;
        this.#batch.each(count, (view, length) => {
          eachMessage(view, length, ({ type, body, end }) => take(view, body, end, type));
        });
      }
    }
    return { isAll: false, lost };
  }

  close(): void {
    close(this.#fd);
    this.#batch.free();
  }
}

function attach(fd: number, filter: readonly FilterStep[]): void {
  const steps = mapPages(filter.length * 8);
  if (typeof steps === 'number') throw new Error(`no memory for a filter: errno ${-steps}`);
  const view = new DataView(steps.buffer);
  filter.forEach(({ code, ifTrue = 0, ifFalse = 0, k }, i) => {
    view.setUint16(i * 8, code, true);
    view.setUint8(i * 8 + 2, ifTrue);
    view.setUint8(i * 8 + 3, ifFalse);
    view.setUint32(i * 8 + 4, k, true);
  });
  const program = new Int32Array(4);
  program[0] = filter.length;
  writePointer(program, 2, steps, 0);
  const result = setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, program, program.byteLength);
  unmap(steps);
  must(result, 'SO_ATTACH_FILTER');
}
