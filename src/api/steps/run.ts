/**
 * Runs the handler as a unit of work: read and decide on a view, then commit guarded by what was read; where another
 * commit came between, decide again. A step of the pipeline.
 */
import type { FaultCode } from '../../faults/catalogue.ts';
import { CATALOGUE, type CatalogueEntry } from '../../faults/catalogue.ts';
import { Broken, Fault } from '../../faults/fault.ts';
import { NotWritable } from '../../store/errors.ts';
import type { ApiContext, Call } from '../call.ts';
import { Tx } from '../handling/transaction.ts';

/** limit: turns leave contention between control nodes only; one of them wins each round, so 30 losses in a row mean a fault. */
const MAX_COMMITS = 30;

interface Attempt {
  readonly tx: Tx;
  readonly response: Readonly<Record<string, unknown>>;
}

export async function run(call: Call, api: ApiContext): Promise<void> {
  let attempt = await decide(call, api);
  const written = attempt.tx.changes().map((change) => change.key);
  if (written.length > 0) {
    if (call.action.access === 'read') throw new Broken(`read action ${call.actionName} wrote ${written.join(', ')}`);
    using turn = await api.turns.take(written);
    if (turn.waited) attempt = await decide(call, api);
    for (let commits = 1; !(await committed(attempt, call, api)); commits++) {
      api.metrics.add('edgefour_store_conflicts_total', { action: call.actionName ?? '' });
      if (commits === MAX_COMMITS) throw new Broken(`gave up after ${MAX_COMMITS} conflicting commits`);
      await api.around.clock.sleep(api.around.rng.below(2 ** Math.min(commits, 6)));
      attempt = await decide(call, api);
    }
  }
  call.response = attempt.response;
}

async function committed({ tx }: Attempt, call: Call, api: ApiContext): Promise<boolean> {
  const answer = await api.store.commit(tx.changes(), tx.guards()).catch((error: unknown) => {
    throw error instanceof NotWritable ? new Fault('ServiceUnavailable', error.message) : error;
  });
  if (answer.ok) call.revision = answer.revision;
  return answer.ok;
}

async function decide(call: Call, api: ApiContext): Promise<Attempt> {
  return api.store.read(async (view) => {
    const tx = new Tx(view, call.caller, api.around);
    try {
      const response = await call.action.handle(tx, call.request as never);
      return { tx, response: response as Attempt['response'] };
    } catch (error) {
      if (error instanceof Fault && !mayAnswer(call, error.code)) {
        throw new Broken(`${call.actionName} answered ${error.code}, which it does not declare`, { cause: error });
      }
      throw error;
    }
  });
}

function mayAnswer(call: Call, code: FaultCode): boolean {
  const entry: CatalogueEntry = CATALOGUE[code];
  return entry.common === true || call.action.errors.includes(code);
}
