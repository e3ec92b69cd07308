/** Puts a client's address on the packets of a socket that is about to connect (see program.ts for the other half). */
export interface Toa {
  /** `names` holds the client's socket address at `at`. */
  announce(fd: number, names: Uint8Array, at: number): void;
}
