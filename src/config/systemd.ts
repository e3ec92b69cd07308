/** Whether systemd listens for what a service says of itself (NotifyAccess= of its unit). */
import process from 'node:process';
import type { Environment } from './read.ts';

export function isUnderSystemd(environment: Environment = process.env): boolean {
  return (environment['NOTIFY_SOCKET'] ?? '') !== '';
}
