import { hostProblem } from '../../../domain/origin-group/host.ts';
import { MOST_SET_STATES } from '../../../domain/origin-group/origin-state.ts';
import { oneOf, optional, string, unsigned } from '../../../shape/shape.ts';
import { keys } from '../../../store/records.ts';
import { action } from '../../action.ts';
import { endingAfter, hasRoom, MOST_SECONDS } from '../../handling/ending.ts';
import { zoneOf } from '../../handling/lookups.ts';

/** limit: a domain name with its final dot. */
const LONGEST_HOST = 254;

export const EdgeFourSetOriginState = action({
  summary: 'Take an origin out of use for maintenance, keep it in use whatever checks say, or leave it to them again.',
  access: 'write',
  touches: 'zone',
  service: 'edgefour',
  request: {
    ZoneId: string('Zone ID.'),
    Origin: string('Address or domain name, as rules and origin groups of the zone name it; no port.', {
      min: 1,
      max: LONGEST_HOST,
    }),
    State: oneOf(
      ['drain', 'up', 'auto'],
      'drain: nothing new goes there while another origin of the rule is up. up: in use. auto: as checks and traffic say.',
    ),
    Seconds: optional(unsigned('For how long; not sent: until it is set again.', { min: 1, max: MOST_SECONDS })),
  },
  response: {},
  errors: [
    'InvalidParameter.InvalidOriginValue',
    'InvalidParameter.ParameterError',
    'LimitExceeded',
    'ResourceNotFound',
  ],
  example: {
    title: 'Take an origin out of use for half an hour',
    request: { ZoneId: 'zone-24wjy25v1cwi', Origin: '10.0.0.8', State: 'drain', Seconds: 1800 },
    response: {},
  },
  handle(tx, { ZoneId, Origin, State, Seconds }) {
    const zone = tx.must(zoneOf(tx, ZoneId));
    // not: whether an address may be an origin; an origin that policy refuses by now may be drained all the same.
    const problem = hostProblem(Origin, () => undefined);
    if (problem) throw tx.refuse('InvalidParameter.InvalidOriginValue', `Origin: ${problem.why}.`);
    const key = keys.originState(zone.id, Origin);
    if (State === 'auto') {
      if (Seconds !== undefined)
        throw tx.refuse('InvalidParameter.ParameterError', 'Seconds: auto is no state that ends; leave it out.');
      if (tx.get(key)) tx.delete(key);
      return {};
    }
    if (!hasRoom(tx, keys.originStates(zone.id), MOST_SET_STATES, key))
      throw tx.refuse('LimitExceeded', `${MOST_SET_STATES} origins of zone ${zone.id} are set by hand already.`);
    tx.put(key, { host: Origin, state: State === 'drain' ? 'down' : 'up', ...endingAfter(tx, Seconds) });
    return {};
  },
});
