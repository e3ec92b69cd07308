/**
 * All that a long-lived process may still load, kept in memory from its start: a checkout that is moved, or changed
 * under it, can then give it neither parts of another version nor none. Sources come from the copy, in its threads too;
 * the one addon comes through the descriptor that is kept of it. It keeps what its entries lead to, and refuses nothing
 * else: that comes from the disk as ever. Made by edge.ts and control.ts of the commands; threads start here.
 */
import { openSync, readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import process from 'node:process';
import { setEnvironmentData, Worker, type WorkerOptions } from 'node:worker_threads';

interface Copy {
  /** All files, one after the other: one memory for all threads. */
  readonly bytes: SharedArrayBuffer;
  /** By URL, from where to where. */
  readonly places: ReadonlyMap<string, readonly [from: number, to: number]>;
  /** A path of koffi's addon that leads to the very file which is loaded here, wherever that is now. */
  readonly addon?: string | undefined;
}

const COPY = 'edgefour.program';
/** Every way of this program to name another file of it. */
const LEADS = /(?:from |import |import\()'(\.[^']+)'|new URL\('([^']+\.ts)', import\.meta\.url\)/g;

let isKept = false;

/** Once per process; what an entry leads to is kept with it, loaded or not. */
export async function keepProgram(entries: readonly URL[]): Promise<void> {
  if (isKept) return;
  const files = readAll(entries);
  const places = new Map<string, readonly [number, number]>();
  const bytes = new SharedArrayBuffer(files.values().reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  for (const [url, file] of files) {
    new Uint8Array(bytes).set(file, end);
    places.set(url, [end, (end += file.length)]);
  }
  const copy: Copy = { bytes, places, addon: await keepAddon() };
  setEnvironmentData(COPY, copy);
  serve(copy, registerHooks);
  isKept = true;
}

/** As `new Worker`; where nothing is kept it is that. */
export function startThread(entry: URL, options: WorkerOptions): Worker {
  return isKept ? new Worker(threadOf(entry), { ...options, eval: true }) : new Worker(entry, options);
}

/** order: the copy serves before the entry, and all that it imports, is asked for. */
function threadOf(entry: URL): string {
  return `(${serve.toString()})(require('node:worker_threads').getEnvironmentData('${COPY}'), require('node:module').registerHooks);
import(${JSON.stringify(entry.href)});`;
}

/** not: anything of this file in it. Threads get it as text. */
function serve({ bytes, places, addon }: Copy, hook: typeof registerHooks): void {
  const formatOf = (url: string): string => (url.endsWith('.json') ? 'json' : 'module-typescript');
  hook({
    resolve(specifier, context, next) {
      if (specifier === 'koffi' && addon !== undefined)
        return { url: 'edgefour:koffi', format: 'module', shortCircuit: true };
      const url = URL.parse(specifier, context.parentURL)?.href ?? '';
      return places.has(url) ? { url, format: formatOf(url), shortCircuit: true } : next(specifier, context);
    },
    load(url, context, next) {
      if (url === 'edgefour:koffi') {
        const source = `const addon = { exports: {} }; process.dlopen(addon, '${addon}'); export default addon.exports;`;
        return { source, format: 'module', shortCircuit: true };
      }
      const place = places.get(url);
      if (!place) return next(url, context);
      const source = new TextDecoder().decode(new Uint8Array(bytes).slice(...place));
      return { source, format: formatOf(url), shortCircuit: true };
    },
  });
}

function readAll(entries: readonly URL[]): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  const urls = entries.map(({ href }) => href);
  for (const url of urls) {
    if (files.has(url)) continue;
    const file = read(url);
    if (!file) continue;
    files.set(url, file);
    for (const [, imported, started] of file.toString('latin1').matchAll(LEADS))
      urls.push(new URL(imported ?? started ?? '', url).href);
  }
  return files;
}

/** undefined: there is none; words in a comment may look like an import. */
function read(url: string): Buffer | undefined {
  try {
    return readFileSync(new URL(url));
  } catch {
    return undefined;
  }
}

/** undefined: not loaded in this process, or not Linux. */
async function keepAddon(): Promise<string | undefined> {
  if (process.platform !== 'linux' || !(await import('../linux/ffi/libc.ts').catch(() => undefined))) return undefined;
  const [, path] = /^(?:\S+ ){5}\s*(\/.*koffi\.node)$/m.exec(readFileSync('/proc/self/maps', 'utf8')) ?? [];
  // limit: one descriptor, for as long as the process lives.
  return path === undefined ? undefined : `/proc/self/fd/${openSync(path, 'r')}`;
}
