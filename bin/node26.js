// `node bin/node26.js ARGS`: run Node 26 with ARGS in a checkout that has its development packages.
import process from 'node:process';
import { node26 } from './install.js';
import { become } from './become.js';
import { compileCache } from './compile-cache.js';

become(node26('development'), process.argv.slice(2), compileCache());
