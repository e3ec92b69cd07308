/** The text for a person when everything is up: where things are, and one command to copy. Pure. Called by supervise.ts. */
import type { DataFolder } from '../../config/data-folder.ts';
import type { Config } from '../../config/read.ts';
import type { ControlFacts, EdgeFacts } from '../run/ipc.ts';

interface BannerFacts {
  readonly version: string;
  readonly config: Config;
  readonly folder: DataFolder;
  readonly control: ControlFacts;
  readonly edge: EdgeFacts;
  readonly startedInMs: number;
}

export function banner(facts: BannerFacts): string {
  const { config, control, folder } = facts;
  const data = config.data === './.edgefour' ? '' : ` --data ${folder.path}`;
  return `
  EdgeFour ${facts.version}, ready in ${Math.round(facts.startedInMs)} ms

  API        ${control.api}   (any EdgeOne client: this endpoint, protocol http)
  Console    ${control.console}
  DNS        ${control.dns === '' ? 'off' : `${control.dns}   (*.${config.domain})`}
  Entry      ${config.addresses.join(', ')}   (engine ${facts.edge.engines.join(', ')})
  Zone       ${control.zoneId}
  Key pair   ${control.secretId}, its key in ${folder.credentials}

  Try it in another terminal:

    npx edgefour api CreateL4Proxy --ZoneId ${control.zoneId} --ProxyName first --Area overseas --wait${data}

  Ctrl-C ends it; connections get ${config.drain} s to finish.
`;
}
