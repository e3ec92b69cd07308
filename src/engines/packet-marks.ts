/**
 * Marks that EdgeFour gives to packets, each once. The kernel engine's table and the table of limits (edge/guard/) stand in
 * the same packet path, so each must know what the other marks. Marks of connections are the kernel engine's own
 * (kernel/table/marks.ts).
 */

/** A segment by which the kernel engine resets a peer (kernel/conntrack/reset-peers.ts). */
export const PROBE_MARK = 0xe4;

/**
 * A packet that stands for a connection which was open before a count was made (edge/guard/table/placeholders.ts). It opens an entry in
 * a conntrack zone of its own, which is counted in the place of the connection, and no engine leads it anywhere.
 */
export const PLACEHOLDER = { mark: 0x00ed6e4f, zone: 0xed6e } as const;
