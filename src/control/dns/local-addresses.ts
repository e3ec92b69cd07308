/**
 * The addresses of this machine that a wildcard stands for, as texts that a socket can be bound to. Called by udp.ts; a test
 * hands over a list of its own.
 */
import { networkInterfaces } from 'node:os';

export type LocalAddresses = (families: ReadonlySet<4 | 6>) => string[];

export const localAddresses: LocalAddresses = (families) =>
  Object.entries(networkInterfaces()).flatMap(([name, infos = []]) =>
    infos
      .filter(({ family }) => families.has(family === 'IPv6' ? 6 : 4))
      // A link-local address is one on each interface.
      .map((info) => (info.family === 'IPv6' && info.scopeid ? `${info.address}%${name}` : info.address)),
  );
