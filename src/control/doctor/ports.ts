/** Whether control's own ports can be had. */
import type { Config } from '../../config/read.ts';
import type { HostPort } from '../../config/values.ts';
import { tryTcp, tryUdp } from '../../observe/bind.ts';
import { bad, type Finding, ok } from '../../observe/finding.ts';

/** `isRunning`: the EdgeFour of this data folder has them, so taken is right. */
export async function portFindings({ listen, dns }: Config, isRunning: boolean): Promise<Finding[]> {
  return [
    await portFinding('API', listen, 'listen', isRunning),
    ...(dns ? [await portFinding('DNS', dns, 'dns', isRunning)] : []),
  ];
}

/** `flag`: the setting that the port is of; DNS wants UDP too. */
export async function portFinding(
  about: string,
  { host, port }: HostPort,
  flag: 'listen' | 'dns',
  isRunning: boolean,
): Promise<Finding> {
  const where = `${host}:${port}`;
  const error = (await tryTcp(host, port)) ?? (flag === 'dns' ? await tryUdp(host, port) : undefined);
  if (error === undefined) return ok(about, `${where} is free`);
  if (error === 'EADDRINUSE' && isRunning) return ok(about, `${where} is this EdgeFour's`);
  const taken = error === 'EADDRINUSE' ? 'is taken by another program' : `can't be bound (${error})`;
  return bad(about, `${where} ${taken}`, `Choose another with --${flag}.`);
}
