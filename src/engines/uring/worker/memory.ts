/** How a worker divides its memory. Derivations, not tuning knobs. Read by ring/, udp/ and host/. */
import { NAME_BYTES } from '../../../linux/sockaddr.ts';

/** limit: the longest client-address header (PPV1, 107 bytes), rounded up so that payloads stay aligned. */
const HEADROOM = 128;

/**
 * limit: a socket usually has 16 KiB ready at once; 4,096 of them are 64 MiB of addresses of which only as much
 * becomes memory as load has needed at one moment (buffers.ts).
 */
export const TCP_BUFFERS = { group: 0, size: 16_384, headroom: HEADROOM, count: 4096 } as const;

/** The kernel's own words in front of each datagram: struct io_uring_recvmsg_out, and room for the sender's address. */
export const RECVMSG_OUT = 16;
/** limit: more than an address needs, because the longest header of a datagram (PPV2 over IPv6, 52 bytes) goes there. */
export const NAME_ROOM = 2 * NAME_BYTES;
/** A struct cmsghdr with an int in it: the size of the segments (UDP_GRO). */
export const CONTROL_ROOM = 24;
/** In front of a client's datagram; and of an origin's, whose address is known. */
export const MESSAGE_HEAD = RECVMSG_OUT + NAME_ROOM + CONTROL_ROOM;
export const REPLY_HEAD = RECVMSG_OUT + CONTROL_ROOM;

/** limit: a buffer takes the largest datagram there is, so none is ever cut; small ones touch one page of it. */
export const UDP_BUFFERS = { group: 1, size: 65_536 + MESSAGE_HEAD, headroom: 0, count: 2048 } as const;
