/** OFF: the origin sees the edge's address and nothing is added. */
import type { PassThrough } from './pass-through.ts';

export const off: PassThrough = {
  carrier: 'none',
  replyHeader: 0,
  announce: () => new Uint8Array(),
};
