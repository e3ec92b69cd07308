import { setRuleOptions } from '../../../domain/l4-rule/batch.ts';
import { DRAIN_WAYS, MOST_SLOW_START_SECONDS, UDP_HEADERS } from '../../../domain/l4-rule/options.ts';
import { list, oneOf, onOff, optional, string, unsigned } from '../../../shape/shape.ts';
import { keys } from '../../../store/records.ts';
import { action } from '../../action.ts';
import { proxyOf, zoneOf } from '../../handling/lookups.ts';
import { MOST_RULES_PER_CALL } from '../../models/L4ProxyRule.ts';

/** limit: a wait that outlasts a day is `keep`; a connect time under 100 ms refuses origins that are merely far. */
const DAY_SECONDS = 86_400;
/** limit: sensors on UDP sleep for hours, so sessions may idle for a week. */
const WEEK_SECONDS = 7 * DAY_SECONDS;

export const EdgeFourSetRuleOptions = action({
  summary: "Set EdgeFour's own options of forwarding rules: drain, time-outs, records, care of ill origins.",
  access: 'write',
  touches: 'zone',
  service: 'edgefour',
  request: {
    ZoneId: string('Zone ID.'),
    ProxyId: string('L4 proxy instance ID.'),
    RuleIds: list(string('Rule ID.'), 'The rules.', { min: 1, max: MOST_RULES_PER_CALL }),
    Drain: optional(
      oneOf(DRAIN_WAYS, 'What a change or deletion does to live connections: keep them, let them end, or reset them.'),
    ),
    DrainSeconds: optional(unsigned('How long `drain` waits; default 30.', { max: DAY_SECONDS })),
    ConnectTimeoutMs: optional(
      unsigned('Until an origin that does not answer is given up, in milliseconds; default 5000.', {
        min: 100,
        max: 60_000,
      }),
    ),
    IdleSeconds: optional(
      unsigned('Until a silent connection or session ends; default 600 for TCP, 120 for UDP.', {
        min: 1,
        max: WEEK_SECONDS,
      }),
    ),
    UdpHeader: optional(
      oneOf(
        UDP_HEADERS,
        'Which datagrams of a UDP session carry the header of PPV2: the first (default, as in the cloud) or each, as origins want it that know no sessions.',
      ),
    ),
    Records: optional(
      string('Connection records: `all`, `off`, or a number N for one in N.', {
        pattern: /^(?:all|off|[1-9]\d{0,6})$/,
      }),
    ),
    Unhealthy: optional(
      oneOf(
        DRAIN_WAYS,
        'TCP connections of an origin that went down: keep them (default), let them end within DrainSeconds, or reset them. UDP sessions move in any case.',
      ),
    ),
    Passive: optional(onOff('Whether dials that fail take an origin out of use; default on.')),
    KernelUnchecked: optional(
      onOff('Whether the kernel engine may serve several origins that are not checked; default off.'),
    ),
    SlowStartSeconds: optional(
      unsigned('An origin that came back has its whole share of new connections after so long; default 0, at once.', {
        max: MOST_SLOW_START_SECONDS,
      }),
    ),
  },
  response: {},
  errors: ['ResourceNotFound'],
  example: {
    title: 'Never cut the connections of a database rule',
    request: {
      ZoneId: 'zone-24wjy25v1cwi',
      ProxyId: 'sid-2qwk27xf7j9g',
      RuleIds: ['rule-2qzkbvx3hxl1'],
      Drain: 'keep',
      IdleSeconds: 7200,
    },
    response: {},
  },
  handle(tx, request) {
    const zone = tx.must(zoneOf(tx, request.ZoneId));
    const proxy = tx.must(proxyOf(tx, zone.id, request.ProxyId));
    const change = {
      drain: request.Drain,
      drainSeconds: request.DrainSeconds,
      connectTimeoutMs: request.ConnectTimeoutMs,
      idleSeconds: request.IdleSeconds,
      udpHeader: request.UdpHeader,
      records: readRecords(request.Records),
      unhealthy: request.Unhealthy,
      passive: request.Passive,
      kernelUnchecked: request.KernelUnchecked,
      slowStartSeconds: request.SlowStartSeconds,
    };
    const next = tx.must(setRuleOptions(proxy, request.RuleIds, change));
    if (next !== proxy) tx.put(keys.proxy(zone.id, proxy.name), next);
    return {};
  },
});

function readRecords(text: string | undefined): 'all' | 'off' | number | undefined {
  return text === undefined || text === 'all' || text === 'off' ? text : Number(text);
}
