/** How a client's address reaches the origin, and which protocols each way exists for. Source: spec section 16.5. */
export const PROTOCOLS = ['TCP', 'UDP'] as const;
export type Protocol = (typeof PROTOCOLS)[number];

export const MODES = {
  OFF: ['TCP', 'UDP'],
  TOA: ['TCP'],
  PPV1: ['TCP'],
  PPV2: ['TCP', 'UDP'],
  SPP: ['UDP'],
} as const satisfies Record<string, readonly Protocol[]>;

export type Mode = keyof typeof MODES;
export const MODE_NAMES = Object.keys(MODES) as Mode[];

export function modeServes(mode: Mode, protocol: Protocol): boolean {
  return (MODES[mode] as readonly Protocol[]).includes(protocol);
}
