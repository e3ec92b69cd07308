/** Output of commands: text for people and JSON for programs on stdout, everything else on stderr. */
import process from 'node:process';
import { asText } from './client/answer-text.ts';

// A reader that has seen enough (`| head`) is no mistake.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

export function write(text: string): void {
  process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
}

export function writeJson(value: unknown): void {
  write(JSON.stringify(value, null, 2));
}

export function tell(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** An answer of the API. */
export function show(answer: Readonly<Record<string, unknown>>, json: boolean): void {
  if (json) writeJson(answer);
  else write(asText(answer));
}
