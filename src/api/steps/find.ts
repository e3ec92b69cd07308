/**
 * Which action is meant: by version and exact name. What the official SDK knows and EdgeFour does not build gets an
 * honest answer, any other name is `InvalidAction`. A step of the pipeline.
 */
import { Fault } from '../../faults/fault.ts';
import type { AnyAction } from '../action.ts';
import type { ApiContext, Call } from '../call.ts';
import { whyUnsupported } from '../unsupported.ts';

type Service = NonNullable<AnyAction['service']>;

/** wire: products share the listener; the version tells them apart, since hosts are free here. */
const VERSIONS: Readonly<Record<string, readonly Service[]>> = {
  '2022-09-01': ['teo', 'edgefour'],
  '2018-08-13': ['tag'],
};

/**
 * wire: the cloud's clients leave the action's name out of what they sign, so a call that was overheard can be sent again
 * as another action until its five minutes are over. Nothing of ours that bans, resets or makes keys is had that way.
 */
const UNCOVERED = [
  'AuthFailure.SignatureFailure',
  'EdgeFour actions need x-tc-action among the signed headers, and a signed body.',
] as const;

export function find(call: Call, api: ApiContext): void {
  const { action: name, version } = call.message;
  const services = Object.hasOwn(VERSIONS, version) ? VERSIONS[version] : undefined;
  if (!services) throw new Fault('NoSuchVersion', `The versions here are ${Object.keys(VERSIONS).join(' and ')}.`);
  const action = Object.hasOwn(api.actions, name) ? api.actions[name] : undefined;
  if (action && services.includes(action.service ?? 'teo')) {
    if (action.service === 'edgefour' && !call.message.claim.coversCall) throw new Fault(...UNCOVERED);
    call.actionName = name;
    call.action = action;
    return;
  }
  const why = services.includes('teo') ? whyUnsupported(name) : undefined;
  if (why) throw new Fault('UnsupportedOperation', `EdgeFour does not have ${name}: ${why}`);
  throw new Fault('InvalidAction', `There is no action \`${name.slice(0, 64)}\` in version ${version}.`);
}
