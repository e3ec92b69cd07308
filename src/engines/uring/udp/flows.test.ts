import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { sockaddr } from '../../../linux/sockaddr.ts';

const skip = process.platform !== 'linux' && 'needs Linux';

/** A client's socket address as words, at an odd place. */
function words(client: string, port: number): { memory: Int32Array; at: number } {
  const memory = new Int32Array(16);
  new Uint8Array(memory.buffer).set(sockaddr(client, port), 12);
  return { memory, at: 3 };
}

test('against a map: every session is found by its entry and client, and by nothing else', { skip }, async () => {
  const { Flows } = await import('./flows.ts');
  const clients = ['10.0.0.1', '10.0.0.2', '2001:db8::1', '2001:db8::2'];
  const step = fc.record({
    entry: fc.nat(2),
    client: fc.constantFrom(...clients),
    port: fc.integer({ min: 1, max: 4 }),
    open: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const flows = new Flows(16, new SharedArrayBuffer(64), 0);
      const model = new Map<string, number>();
      for (const { entry, client, port, open } of steps) {
        const key = `${entry} ${client} ${port}`;
        const { memory, at } = words(client, port);
        const found = flows.find(entry, memory, at);
        assert.equal(found, model.get(key) ?? -1);
        if (open && found < 0 && flows.available > 0) {
          const flow = flows.take(entry, 0, memory, at, 77, 0);
          assert.equal(flows.sockets.fd[flow], 77);
          model.set(key, flow);
        } else if (!open && found >= 0) {
          const generation = flows.generation[found]!;
          flows.give(found);
          assert.equal(flows.generation[found], (generation + 1) & 0xffff);
          assert.equal(flows.sockets.fd[found], -1);
          model.delete(key);
        }
        assert.equal(flows.capacity - flows.available, model.size);
      }
      flows.names.release();
    }),
    { numRuns: 50 },
  );
});
