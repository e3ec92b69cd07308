// Where Node keeps what it has compiled, TypeScript without its types included: halves the time to start and saves some
// 20 MB per process, because the compiler is then not even loaded. Node checks every entry against the file's content,
// and does without where the folder can't be written.
import { join } from 'node:path';
import process from 'node:process';
import { ROOT } from './install.js';

export function compileCache() {
  if (process.env.NODE_COMPILE_CACHE !== undefined || process.env.NODE_DISABLE_COMPILE_CACHE !== undefined) return {};
  return { NODE_COMPILE_CACHE: join(ROOT, 'node_modules', '.cache', 'edgefour') };
}
