import { PROXY_NAME } from '../../../domain/l4-proxy/change.ts';
import { conflictOf } from '../../../domain/l4-proxy/combinations.ts';
import { ddosFault } from '../../../domain/l4-proxy/ddos.ts';
import { AREAS, type L4Proxy } from '../../../domain/l4-proxy/l4-proxy.ts';
import { THIS_WRITE } from '../../../domain/stamp.ts';
import { onOff, oneOf, optional, string } from '../../../shape/shape.ts';
import { keys } from '../../../store/records.ts';
import { action } from '../../action.ts';
import { renewEntries } from '../../handling/entry-addresses.ts';
import { featuresOf, readyZoneOf } from '../../handling/lookups.ts';
import { DDOS_PROTECTION_CONFIG, readDdos } from '../../models/L4Proxy.ts';

export const CreateL4Proxy = action({
  summary: 'Create a Layer 4 proxy instance.',
  access: 'write',
  touches: 'zone',
  request: {
    ZoneId: string('Zone ID.'),
    ProxyName: string('Instance name: 1 to 50 of a-z, 0-9 and single hyphens inside. Cannot be changed.', {
      pattern: PROXY_NAME,
      fault: 'InvalidParameter.ProxyNameNotMatched',
    }),
    Area: oneOf(AREAS, 'Acceleration area. Cannot be changed.'),
    Ipv6: optional(onOff('IPv6 access; default off.')),
    StaticIp: optional(onOff('Entry addresses of its own that never change; default off. Cannot be changed.')),
    AccelerateMainland: optional(onOff('Network optimisation for the Chinese mainland; default off.')),
    DDosProtectionConfig: optional(DDOS_PROTECTION_CONFIG),
  },
  response: { ProxyId: string('L4 proxy instance ID.') },
  errors: [
    'FailedOperation',
    'InvalidParameter.ProxyNameDuplicating',
    'InvalidParameter.ProxyNameNotMatched',
    'InvalidParameterValue',
    'OperationDenied',
    'OperationDenied.AccelerateMainlandDisable',
    'OperationDenied.AccelerateMainlandIpv6Conflict',
    'OperationDenied.ErrZoneIsAlreadyPaused',
    'OperationDenied.Ipv6AdvancedConflict',
    'OperationDenied.Ipv6StaticIpConflict',
    'OperationDenied.L4LackOfResources',
    'OperationDenied.MsgIpv6AdvancedConflict',
    'OperationDenied.StaticIpAreaConflict',
    'ResourceNotFound',
    'UnauthorizedOperation.CamUnauthorized',
  ],
  example: {
    title: 'Create an overseas instance',
    request: { ZoneId: 'zone-3kq782jghthh', ProxyName: 'proxy-name', Area: 'overseas' },
    response: { ProxyId: 'sid-3kq7it9slfmc' },
  },
  handle(tx, { ZoneId, ProxyName: name, Area: area, DDosProtectionConfig: ddos, ...flags }) {
    const zone = tx.must(readyZoneOf(tx, ZoneId));
    if (tx.get(keys.proxy(zone.id, name)))
      throw tx.refuse('InvalidParameter.ProxyNameDuplicating', `Zone ${zone.id} has an instance ${name}.`);
    const { Ipv6: ipv6 = 'off', StaticIp: staticIp = 'off', AccelerateMainland: accelerateMainland = 'off' } = flags;
    const settings = { area, ipv6, staticIp, accelerateMainland, ...(ddos && { ddos: readDdos(ddos) }) };
    tx.must(ddosFault(settings.ddos) ?? conflictOf(settings, featuresOf(tx)));

    const proxy: L4Proxy = {
      id: tx.id('sid'),
      zone: zone.id,
      account: zone.account,
      name,
      ...settings,
      entries: {},
      want: 'online',
      banned: false,
      rules: [],
      changed: THIS_WRITE,
      updatedAt: tx.now,
    };
    tx.put(keys.proxyPlace(proxy.id), { zone: zone.id, name });
    tx.put(keys.proxy(zone.id, name), { ...proxy, entries: tx.must(renewEntries(tx, proxy, 'refuse')) });
    return { ProxyId: proxy.id };
  },
});
