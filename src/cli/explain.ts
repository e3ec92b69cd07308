/** What a person reads when a command ends in an error: one line, and the exit code that goes with it. */
import process from 'node:process';
import { Usage } from '../config/usage.ts';
import { StoreUnusable } from '../store/errors.ts';
import { Refusal } from './client/refusal.ts';

/** Throws on what nobody foresaw: its stack is the best there is to say. */
export function explain(error: unknown): number {
  if (error instanceof Refusal) {
    process.stderr.write(`edgefour: ${error.code}: ${error.message} (RequestId ${error.requestId})\n`);
    return 1;
  }
  if (!(error instanceof Usage || error instanceof StoreUnusable)) throw error;
  process.stderr.write(`edgefour: ${error.message}\n`);
  return 2;
}
