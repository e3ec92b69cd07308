/**
 * How engines behave towards clients, origins and the machine, as numbers: each one once, and the same for every engine.
 * It refuses numbers that a rule brings (its options), that an operator sets (config/) and that only lay out the memory of
 * one engine. Read by flow/ and by all engines.
 */

/** limit: the cloud writes a line per minute of a long connection (spec 10.3). */
export const RECORD_EVERY_MS = 60_000;
/** limit: idle and drain times are whole seconds; half of one is how late an engine may notice that they are over. */
export const SWEEP_MS = 500;
/** limit: how often an engine that stops looks whether its last connection is gone. */
export const STOP_POLL_MS = 20;

/** limit: the outcomes of dials are told so often; each tells a thread. */
export const OUTCOMES_MS = 100;
/** limit: so many failures in a row are told at once; they are what holds an origin out of use (edge/health). */
export const FAILURES_AT_ONCE = 3;

/** To the client and to the origin. */
export const CONNECTION_DESCRIPTORS = 2;
/** A peer that has vanished is noticed within minutes, where the idle time is hours. */
export const KEEPALIVE_SECONDS = 60;
/** limit: payload of a full segment on Ethernet; a relay does not see segments, so it counts the packets that these make. */
export const SEGMENT_BYTES = 1448;
/** limit: a dial of one connection asks no more origins after so many have let it time out (as the documents promise). */
export const MOST_TIMEOUTS = 3;
/** limit: after so many of our source ports were in use towards an origin, the system chooses one. */
export const MOST_PORT_REFUSALS = 8;

/** limit: how late a reset is passed on behind the bytes that came before it. */
export const SETTLE_MS = 50;
/** limit: a reader that takes nothing for so long is told of the reset, whatever still waits for it. */
export const STALLED_MS = 30_000;

/** limit: 65,535 bytes less the UDP header; IPv4 counts its own header, too, and IPv6 does not. */
export const LARGEST_DATAGRAM_V4 = 65_507;
export const LARGEST_DATAGRAM_V6 = 65_527;
/** limit: an origin that restarts is back by then, and a client that meets a dead one again costs one more fail-over. */
export const REST_MS = 10_000;
/** limit: an answered session is idle after it: a client's next datagram comes a round trip later, and few are longer. */
export const ANSWERED_MS = 500;
/** limit: a client that has had no answer for so long asks again from the start, or has given up. */
export const UNANSWERED_MS = 10_000;
/** limit: keep-alives of WireGuard, QUIC and games come every 25 s or sooner. */
export const CONVERSATION_MS = 30_000;
/** limit: how often a session is looked at whose address has left its name: is it still answered? */
export const FORSAKEN_LOOK_MS = 1_000;

/** limit: about 10 MB per rule at worst; beyond it a rule forgets, or learns no more of, the clients that keep their target. */
export const MOST_REMEMBERED_CLIENTS = 65_536;
/** limit: 3 MB; counters of rules that are gone, kept because a rule that comes back must not count from 0. */
export const MOST_RETIRED = 10_000;
/** limit: where so few descriptors are open that a share of them would be nothing, no newcomer is refused for it. */
export const SMALLEST_SHARE = 128;
