/** One line for the person when a command ends in an error, and the exit code that goes with it. Called by main.ts. */
import process from 'node:process';
import { Usage } from '../config/usage.ts';
import { StoreUnusable } from '../store/errors.ts';
import { Refusal } from './client/refusal.ts';

/** Throws an error that is not foreseen: its stack is the best there is to say. */
export function explain(error: unknown): number {
  if (error instanceof Refusal) {
    process.stderr.write(`edgefour: ${error.code}: ${error.message} (RequestId ${error.requestId})\n`);
    return 1;
  }
  if (!(error instanceof Usage || error instanceof StoreUnusable)) throw error;
  process.stderr.write(`edgefour: ${error.message}\n`);
  return 2;
}
