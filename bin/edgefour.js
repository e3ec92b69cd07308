#!/usr/bin/env node
// The command. Hands over to Node 26 and src/cli/main.ts; see install.js for what happens on a bare checkout.
import { join } from 'node:path';
import process from 'node:process';
import { node26 } from './install.js';
import { become } from './become.js';
import { compileCache } from './compile-cache.js';

const main = join(import.meta.dirname, '..', 'src', 'cli', 'main.ts');
become(node26('production'), [main, ...process.argv.slice(2)], compileCache());
