/** The stage of the kernel engine's own tests: two namespaces, the cases living in one, and engines started in the other. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { after, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Listener } from '../../src/engines/engine.ts';
import { settle } from '../suites/engine/fixture.ts';
import type { KernelSetting } from '../../src/engines/kernel/setting.ts';
import type { KernelStatus } from './kernel-agent.ts';
import { EDGE_NAMESPACE } from './kernel-in-edge.ts';
import { enter, makeNamespaces, type Namespaces } from './kernel-namespaces.ts';

/** From now on this process lives in `out`, until it ends. */
export function takeStage(): Namespaces {
  const world = makeNamespaces();
  after(() => world[Symbol.dispose]());
  enter(world.out);
  process.env[EDGE_NAMESPACE] = world.edge;
  settle({
    address: () => world.address(),
    entry: () => world.entry(),
    async occupy(address, port) {
      const script = `require('node:net').createServer().listen(${port}, '${address}', () => console.log('listening'))`;
      const other = inEdge(world, '-e', script);
      await once(other.stdout ?? other, 'data');
      return () => (other.kill(), once(other, 'close'));
    },
  });
  return world;
}

function inEdge(world: Namespaces, ...args: string[]): ChildProcess {
  const stdio = ['pipe', 'pipe', 'inherit'] as const;
  return spawn('ip', ['netns', 'exec', world.edge, process.execPath, ...args], { stdio: [...stdio] });
}

export interface Agent {
  /** Of `ip netns exec`, which becomes the agent. */
  readonly pid: number;
  /** Makes a rule so. */
  apply(rule: Listener): Promise<KernelStatus>;
  remove(id: string): Promise<KernelStatus>;
  status(): Promise<KernelStatus>;
  /** SIGKILL; resolves when it is dead. */
  kill(): Promise<void>;
  /** As a service is stopped. */
  stop(): Promise<void>;
}

/** An engine in a process of its own, with these rules up. */
export async function startAgent(
  t: TestContext,
  world: Namespaces,
  rules: readonly Listener[],
  setting: Partial<KernelSetting> = {},
): Promise<Agent> {
  const program = fileURLToPath(new URL('kernel-agent.ts', import.meta.url));
  const child = inEdge(world, program, JSON.stringify(rules), JSON.stringify(setting));
  t.after(() => child.kill('SIGKILL'));
  if (!child.stdout) throw new Error('no output');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const first = (await lines.next()) as { value?: string };
  if (first.value !== 'up') throw new Error(`the agent did not come up: ${first.value}`);
  const gone = once(child, 'exit');
  const say = async (line: string): Promise<KernelStatus> => {
    child.stdin?.write(`${line}\n`);
    return JSON.parse(String((await lines.next()).value)) as KernelStatus;
  };
  return {
    pid: child.pid ?? 0,
    status: () => say('tell'),
    apply: (rule) => say(JSON.stringify(rule)),
    remove: (id) => say(`remove ${id}`),
    async kill() {
      child.kill('SIGKILL');
      await gone;
    },
    async stop() {
      child.stdin?.write('stop\n');
      await gone;
    },
  };
}
