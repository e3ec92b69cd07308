#!/usr/bin/env node
// The command. Runs src/cli/main.ts on Node 26; see install.js for what happens on a bare checkout.
import module from 'node:module';
import { join } from 'node:path';
import process from 'node:process';
import { become } from './become.js';
import { compileCache } from './compile-cache.js';
import { node26, ROOT } from './install.js';

const main = join(ROOT, 'src', 'cli', 'main.ts');
const node = node26('production');
const environment = compileCache();

if (node === process.execPath) {
  // It is the right one already: the time to start another is saved.
  Object.assign(process.env, environment);
  process.argv[1] = main;
  module.enableCompileCache(environment.NODE_COMPILE_CACHE);
  await import(main);
} else become(node, [main, ...process.argv.slice(2)], environment);
