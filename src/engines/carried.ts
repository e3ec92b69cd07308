/**
 * Packets that stand for connections which were open before a count was made (edge/guard/carried.ts): they open an entry of
 * a zone of their own in conntrack, which is counted in the place of the connection, and no engine leads them anywhere.
 */
export const CARRIED = { mark: 0x00ed6e4f, zone: 0xed6e } as const;
