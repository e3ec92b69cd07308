/** How a worker divides its memory. Derivations, not tuning knobs; tests and `doctor` quote them. */

/** limit: the longest client-address header (PPV1, 107 bytes), rounded up so that payloads stay aligned. */
export const HEADROOM = 128;

/**
 * limit: 16 KiB is what a socket usually has ready at once; 4,096 of them are 64 MiB of addresses of which only as much
 * becomes memory as load has needed at one moment (buffers.ts).
 */
export const TCP_BUFFERS = { group: 0, size: 16_384, count: 4096 } as const;
