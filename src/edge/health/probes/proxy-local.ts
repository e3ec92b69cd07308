/**
 * The PROXY header of a connection that no client is behind, so that an origin that insists on such a header takes a probe for
 * what it is: `LOCAL` in version 2, `UNKNOWN` in version 1.
 */
const SIGNATURE = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a];
/** Version 2 with the command LOCAL, no family, no addresses. */
const LOCAL = Uint8Array.of(...SIGNATURE, 0x20, 0, 0, 0);
const UNKNOWN = Buffer.from('PROXY UNKNOWN\r\n');

export const announcement = (version: 'PPV1' | 'PPV2'): Uint8Array => (version === 'PPV1' ? UNKNOWN : LOCAL);
