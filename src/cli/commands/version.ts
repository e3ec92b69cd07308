/** `edgefour version`: what runs here. */
import process from 'node:process';
import { VERSION } from '../../program/version.ts';
import type { Command } from '../command.ts';

export const command: Command = {
  summary: 'The version, and the Node and platform it runs on.',
  usage: '',
  roles: [],
  run() {
    process.stdout.write(`edgefour ${VERSION} (Node ${process.version}, ${process.platform}-${process.arch})\n`);
    return Promise.resolve(0);
  },
};
