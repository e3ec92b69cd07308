/**
 * Which names a zone can have, and who has them already. Pure. Zones without a domain have no name and no claim.
 * Source of the codes: spec section 6.1 and the published lists.
 */
import { type Fault, refuse } from '../../faults/fault.ts';
import { isDomainName } from '../../lib/net/domain-name.ts';
import type { Zone, ZoneNameClaim } from './zone.ts';

/** Two-label names below which others register theirs, so that `example.co.uk` is a zone and `www.example.com` is not. */
const REGISTRIES = new Set(
  [
    'com.cn net.cn org.cn gov.cn edu.cn ac.cn com.hk com.mo com.tw org.tw com.sg com.my co.id co.th com.vn com.ph',
    'co.in net.in org.in co.jp ne.jp or.jp ac.jp co.kr or.kr com.au net.au org.au co.nz co.uk org.uk ac.uk gov.uk',
    'com.br com.mx com.ar com.co com.tr com.sa com.eg co.za co.ke co.il com.ua com.ru',
  ].flatMap((line) => line.split(' ')),
);

export function zoneNameFault(
  name: string,
):
  | Fault<
      | 'InvalidParameterValue.ZoneNameInvalid'
      | 'InvalidParameterValue.ZoneNameNotSupportPunyCode'
      | 'InvalidParameterValue.TopLevelDomainNotSupport'
      | 'InvalidParameterValue.ZoneNameNotSupportSubDomain'
    >
  | undefined {
  const told = `ZoneName: \`${name.slice(0, 253)}\``;
  if (!isDomainName(name) || name.endsWith('.') || name.includes('_'))
    return refuse('InvalidParameterValue.ZoneNameInvalid', `${told} is not a domain name such as example.com.`);
  const labels = name.toLowerCase().split('.');
  if (labels.some((label) => label.startsWith('xn--')))
    return refuse('InvalidParameterValue.ZoneNameNotSupportPunyCode', `${told} has a Punycode label.`);
  const shared = REGISTRIES.has(labels.slice(-2).join('.')) ? 2 : 1;
  if (labels.length <= shared)
    return refuse('InvalidParameterValue.TopLevelDomainNotSupport', `${told} is where others register their names.`);
  if (labels.length > shared + 1) {
    const apex = labels.slice(-shared - 1).join('.');
    return refuse('InvalidParameterValue.ZoneNameNotSupportSubDomain', `${told} is below ${apex}: take that.`);
  }
  return undefined;
}

const ALIAS = /^[0-9A-Za-z.\-_]*$/;
/** limit: spec section 6.1. */
const MOST_ALIAS = 200;

export function aliasFault(
  alias: string,
): Fault<'InvalidParameter.LengthExceedsLimit' | 'InvalidParameterValue'> | undefined {
  if (alias.length > MOST_ALIAS)
    return refuse('InvalidParameter.LengthExceedsLimit', `AliasZoneName: at most ${MOST_ALIAS} characters.`);
  if (!ALIAS.test(alias))
    return refuse('InvalidParameterValue', 'AliasZoneName: only 0-9, A-Z, a-z, `.`, `-` and `_`.');
  return undefined;
}

/**
 * The claim with the zone in it, in place of what it had there before, or why the name is not free. Zones of one account
 * may share a name while their aliases differ; one of them at most has NS access.
 */
export function claimed(claim: ZoneNameClaim | undefined, zone: Zone) {
  const rest = (claim?.zones ?? []).filter(({ id }) => id !== zone.id);
  const other = rest.find(({ account }) => account !== zone.account);
  if (other) {
    const code = other.type === 'full' ? 'ResourceInUse.OthersNS' : 'ResourceInUse.OthersCname';
    return refuse(code, `Another account has ${zone.name}.`);
  }
  const ns = rest.find(({ type }) => type === 'full');
  if (ns && zone.type === 'full') return refuse('ResourceInUse.NS', `${ns.id} is ${zone.name} with NS access.`);
  const same = rest.find(({ alias }) => alias === zone.alias);
  if (same && zone.alias !== '')
    return refuse('InvalidParameterValue.ZoneSameAsName', `${same.id} is ${zone.name} with this alias.`);
  if (same) {
    const code = same.type === 'full' ? 'ResourceInUse.NS' : 'ResourceInUse.Cname';
    return refuse(code, `${same.id} is ${zone.name}. An AliasZoneName tells zones of one name apart.`);
  }
  const { id, account, alias, type } = zone;
  return { zones: [...rest, { id, account, alias, type }] } satisfies ZoneNameClaim;
}

/** The claim without the zone; undefined where no zone is left. */
export function released(claim: ZoneNameClaim, zone: Zone): ZoneNameClaim | undefined {
  const zones = claim.zones.filter(({ id }) => id !== zone.id);
  return zones.length > 0 ? { zones } : undefined;
}
