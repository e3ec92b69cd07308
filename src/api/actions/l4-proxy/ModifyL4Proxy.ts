import { changeSettings } from '../../../domain/l4-proxy/change.ts';
import { proxyStatus } from '../../../domain/status.ts';
import { onOff, optional, string } from '../../../shape/shape.ts';
import { keys } from '../../../store/records.ts';
import { action } from '../../action.ts';
import { renewEntries } from '../../handling/entry-addresses.ts';
import { featuresOf, proxyOf, readyZoneOf } from '../../handling/lookups.ts';

export const ModifyL4Proxy = action({
  summary: 'Change the settings of a Layer 4 proxy instance.',
  access: 'write',
  touches: 'zone',
  request: {
    ZoneId: string('Zone ID.'),
    ProxyId: string('L4 proxy instance ID.'),
    Ipv6: optional(onOff('IPv6 access; not sent, it stays as it is.')),
    AccelerateMainland: optional(onOff('Network optimisation for the Chinese mainland; not sent, it stays as it is.')),
  },
  response: {},
  errors: [
    'OperationDenied',
    'OperationDenied.AccelerateMainlandDisable',
    'OperationDenied.AccelerateMainlandIpv6Conflict',
    'OperationDenied.ErrZoneIsAlreadyPaused',
    'OperationDenied.Ipv6AdvancedConflict',
    'OperationDenied.Ipv6StaticIpConflict',
    'OperationDenied.L4LackOfResources',
    'OperationDenied.L4ProxyInBannedStatus',
    'OperationDenied.L4ProxyInOfflineStatus',
    'OperationDenied.L4ProxyInProcessStatus',
    'OperationDenied.MsgIpv6AdvancedConflict',
    'OperationDenied.StaticIpAreaConflict',
    'ResourceNotFound',
    'UnauthorizedOperation.CamUnauthorized',
  ],
  example: {
    title: 'Turn on IPv6',
    request: { ZoneId: 'zone-24wjy25v1cwi', ProxyId: 'sid-2qwk27xf7j9g', Ipv6: 'on' },
    response: {},
  },
  handle(tx, { ZoneId, ProxyId, Ipv6: ipv6, AccelerateMainland: accelerateMainland }) {
    const zone = tx.must(readyZoneOf(tx, ZoneId));
    const proxy = tx.must(proxyOf(tx, zone.id, ProxyId));
    const status = proxyStatus(proxy, zone, tx.around.facts.acks);
    const next = tx.must(changeSettings(proxy, { ipv6, accelerateMainland }, status, featuresOf(tx), tx.now));
    if (next === proxy) return {};
    tx.put(keys.proxy(zone.id, proxy.name), { ...next, entries: tx.must(renewEntries(tx, next, 'refuse')) });
    return {};
  },
});
