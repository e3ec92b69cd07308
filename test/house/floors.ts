/** The floors of the house (ARCHITECTURE.md): a room imports from floors below its own, never from its neighbours. */
import { posix } from 'node:path';

/** From the ground up. Rooms of one floor don't import each other. */
export const FLOORS: readonly (readonly string[])[] = [
  ['lib'],
  ['faults', 'linux'],
  ['shape', 'observe', 'config', 'handoff', 'program'],
  ['domain'],
  ['store', 'facts', 'link'],
  ['api', 'plan'],
  ['engines'],
  ['control', 'edge'],
  ['cli'],
];

/** `src/engines/flow/pick.ts` is in `engines`; undefined outside src. */
export function roomOf(path: string): string | undefined {
  const [top, room] = path.split('/');
  return top === 'src' ? room : undefined;
}

export function floorOf(room: string): number {
  return FLOORS.findIndex((rooms) => rooms.includes(room));
}

export function isUnder(path: string, folder: string): boolean {
  return path.startsWith(`${posix.normalize(folder)}/`);
}
