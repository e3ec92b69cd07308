/**
 * Whether the settings of an origin group make sense: its records, their credentials, its host header; and whether L4
 * rules can use it. Pure. Called by change.ts here and by api/actions/origin-group. Source: spec section 7.
 */
import { type Fault, refuse } from '../../faults/fault.ts';
import { isDomainName } from '../../lib/net/domain-name.ts';
import { type EgressRule, readHost } from '../../lib/net/egress.ts';
import { hostProblem, sameHostText } from './host.ts';
import type { OriginGroup, OriginRecord, PrivateParameter } from './origin-group.ts';

/** A record as a caller writes it; its id is there where the caller names one. */
export interface RecordDraft extends Omit<OriginRecord, 'id'> {
  readonly id?: string;
  readonly parameters?: readonly PrivateParameter[];
}

type Settings = Pick<OriginGroup, 'type' | 'hostHeader'>;

export function settingsFault(group: Settings, records: readonly RecordDraft[], egress: EgressRule) {
  return headerFault(group) ?? recordsFault(group, records, egress);
}

function headerFault({ hostHeader }: Settings): Fault<'InvalidParameter.HostHeaderInvalid'> | undefined {
  if (hostHeader === '' || isDomainName(hostHeader)) return undefined;
  return refuse('InvalidParameter.HostHeaderInvalid', `HostHeader: \`${hostHeader}\` is no domain name.`);
}

function recordsFault({ type }: Settings, records: readonly RecordDraft[], egress: EgressRule) {
  const seen = new Set<string>();
  for (const [i, record] of records.entries()) {
    const at = `Records.${i}`;
    if (type === 'GENERAL' && record.type !== 'IP_DOMAIN')
      return refuse(
        'InvalidParameter.InvalidOriginGroupType',
        `${at}: object storage is for groups of type HTTP; this one is GENERAL.`,
      );
    const fault = record.type === 'IP_DOMAIN' ? addressFault(record.host, egress, at) : storageFault(record, at);
    if (fault) return fault;
    const host = sameHostText(record.host);
    if (seen.has(host)) return malformed(at, `${record.host} is in the group twice`);
    seen.add(host);
  }
  return undefined;
}

function addressFault(host: string, egress: EgressRule, at: string) {
  const problem = hostProblem(host, egress);
  if (!problem) return undefined;
  return problem.about === 'address'
    ? refuse('InvalidParameter.InvalidOriginIp', `${at}.Record: ${problem.why}.`)
    : malformed(`${at}.Record`, problem.why);
}

function storageFault({ host, type, private: isPrivate, parameters = [] }: RecordDraft, at: string) {
  if (readHost(host).kind !== 'name') return malformed(`${at}.Record`, `\`${host}\` is no domain name of a bucket`);
  if (!isPrivate) return undefined;
  const valueOf = (name: PrivateParameter['name']) => parameters.find((one) => one.name === name)?.value ?? '';
  const params = `${at}.PrivateParameters`;
  if (new Set(parameters.map(({ name }) => name)).size < parameters.length)
    return badParameter(params, 'a name is there twice');
  if (valueOf('AccessKeyId') === '' || valueOf('SecretAccessKey') === '')
    return badParameter(params, 'AccessKeyId and SecretAccessKey are needed');
  if (type === 'COS') return undefined;
  if (!['v2', 'v4'].includes(valueOf('SignatureVersion'))) return badParameter(params, 'SignatureVersion is v2 or v4');
  if (!/^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(valueOf('Region')))
    return refuse('InvalidParameter.InvalidAwsRegion', `${params}: Region \`${valueOf('Region')}\` is none of AWS.`);
  return undefined;
}

function malformed(at: string, why: string): Fault<'InvalidParameter.OriginRecordFormatError'> {
  return refuse('InvalidParameter.OriginRecordFormatError', `${at}: ${why}.`);
}

function badParameter(at: string, why: string): Fault<'InvalidParameter.OriginThirdPartyParamFormatError'> {
  return refuse('InvalidParameter.OriginThirdPartyParamFormatError', `${at}: ${why}.`);
}

/** Why L4 rules, which use the group already, can't use it as it would be. `user` names who uses it. */
export function l4UseFault({ type, records }: Pick<OriginGroup, 'type' | 'records'>, user: string) {
  if (type !== 'GENERAL') return generalFault(type, user);
  const names = records.filter(({ host }) => readHost(host).kind === 'name').length;
  if (names > 0 && names < records.length)
    return refuse(
      'InvalidParameter.OriginL4RecordIPV4MixDomain',
      `Records: ${user} uses the group; give it addresses only, or one domain name.`,
    );
  if (names > 1)
    return refuse(
      'InvalidParameter.OriginL4RecordMultiDomain',
      `Records: ${user} uses the group; it can have one domain name only.`,
    );
  return undefined;
}

/** For users that take groups of type GENERAL only. */
export function generalFault(type: OriginGroup['type'], user: string) {
  if (type === 'GENERAL') return undefined;
  return refuse('InvalidParameter.InvalidOriginGroupType', `Type: ${user} uses the group and needs it to be GENERAL.`);
}
