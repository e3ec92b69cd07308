/** Cuts a stream of bytes into lines, with a bound on the length of one. Pure; for the link and for logs of frames. */
interface LineSplitter {
  /** The lines that end within this chunk, without their line feeds; undefined from the first over-long line on. */
  push(chunk: Uint8Array): Uint8Array[] | undefined;
  /** Bytes after the last line feed. */
  readonly pending: number;
}

/** Holds at most one unfinished line of `limit` bytes. The lines share memory with the chunks. */
export function createLineSplitter(limit: number): LineSplitter {
  let parts: Uint8Array[] = [];
  let pending = 0;
  let refused = false;

  function keep(piece: Uint8Array): void {
    if (piece.length > 0) parts.push(piece);
    pending += piece.length;
  }
  function take(): Uint8Array {
    const line = parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts, pending);
    parts = [];
    pending = 0;
    return line;
  }
  return {
    push(chunk) {
      const lines: Uint8Array[] = [];
      let start = 0;
      while (!refused) {
        const end = chunk.indexOf(10, start);
        keep(chunk.subarray(start, end === -1 ? undefined : end));
        if (pending > limit) refused = true;
        else if (end === -1) return lines;
        else lines.push(take());
        start = end + 1;
      }
      take();
      return undefined;
    },
    get pending() {
      return pending;
    },
  };
}
