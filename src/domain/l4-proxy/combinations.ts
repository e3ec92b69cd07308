/**
 * Which settings of an instance exclude each other, as a table: the first row that applies names the code. Pure. The
 * rows and their order are spec section 5 (6 to 13); creating and modifying an instance use the same table.
 */
import { type Fault, refuse } from '../../faults/fault.ts';
import type { Area, DdosConfig, OnOff } from './l4-proxy.ts';

/** An instance's settings that the table looks at. */
interface Settings {
  readonly area: Area;
  readonly ipv6: OnOff;
  readonly staticIp: OnOff;
  readonly accelerateMainland: OnOff;
  readonly ddos?: DdosConfig;
}

/** The account beta behind AccelerateMainland. */
export const ACCELERATE_MAINLAND = 'accelerate-mainland';
/**
 * wire: an older edition of the product's table (document 54507) was stricter: no IPv6 beside exclusive protection
 * anywhere, and no platform protection outside overseas. An account with this feature gets that edition.
 */
export const STRICT_COMBINATIONS = 'strict-combinations';

/** Exclusive protection: any level but PLATFORM, in a part of the world that the area covers. */
export function isExclusive({ area, ddos }: Pick<Settings, 'area' | 'ddos'>): boolean {
  const mainland = area !== 'overseas' && (ddos?.levelMainland ?? 'PLATFORM') !== 'PLATFORM';
  const overseas = area !== 'mainland' && (ddos?.levelOverseas ?? 'PLATFORM') !== 'PLATFORM';
  return mainland || overseas;
}

interface Facts {
  readonly S: boolean;
  readonly V: boolean;
  readonly A: boolean;
  readonly isOverseas: boolean;
  readonly isExclusive: boolean;
  readonly hasBeta: boolean;
  readonly isStrict: boolean;
}

type ConflictCode =
  | 'OperationDenied'
  | 'OperationDenied.AccelerateMainlandDisable'
  | 'OperationDenied.AccelerateMainlandIpv6Conflict'
  | 'OperationDenied.Ipv6AdvancedConflict'
  | 'OperationDenied.Ipv6StaticIpConflict'
  | 'OperationDenied.MsgIpv6AdvancedConflict'
  | 'OperationDenied.StaticIpAreaConflict';

interface Row {
  readonly code: ConflictCode;
  /** S = static IP, V = IPv6, A = mainland acceleration. */
  readonly when: (facts: Facts) => boolean;
  /** For codes whose own message does not say it all. */
  readonly detail?: string;
}

const ROWS: readonly Row[] = [
  { code: 'OperationDenied.Ipv6StaticIpConflict', when: ({ S, V }) => S && V },
  { code: 'OperationDenied.AccelerateMainlandIpv6Conflict', when: ({ V, A }) => V && A },
  {
    code: 'OperationDenied',
    when: ({ S, A }) => S && A,
    detail: 'StaticIp and AccelerateMainland cannot be on together.',
  },
  { code: 'OperationDenied.StaticIpAreaConflict', when: ({ S, isOverseas }) => S && !isOverseas },
  {
    code: 'OperationDenied',
    when: ({ A, isOverseas }) => A && !isOverseas,
    detail: 'AccelerateMainland is available in the area overseas only.',
  },
  {
    code: 'OperationDenied.AccelerateMainlandDisable',
    when: ({ A, hasBeta }) => A && !hasBeta,
    detail: `Start EdgeFour with EDGEFOUR_FEATURES=${ACCELERATE_MAINLAND} to enable it.`,
  },
  {
    code: 'OperationDenied.MsgIpv6AdvancedConflict',
    when: ({ V, isOverseas, isExclusive }) => V && !isOverseas && isExclusive,
  },
  {
    code: 'OperationDenied.Ipv6AdvancedConflict',
    when: ({ V, isExclusive, isStrict }) => V && isExclusive && isStrict,
  },
  {
    code: 'OperationDenied',
    when: ({ isOverseas, isExclusive, isStrict }) => !isOverseas && !isExclusive && isStrict,
    detail: 'Outside the area overseas an instance needs exclusive DDoS protection.',
  },
];

/** The first conflict, or `undefined`. `features` are the account's betas. */
export function conflictOf(settings: Settings, features: readonly string[]): Fault<ConflictCode> | undefined {
  const facts: Facts = {
    S: settings.staticIp === 'on',
    V: settings.ipv6 === 'on',
    A: settings.accelerateMainland === 'on',
    isOverseas: settings.area === 'overseas',
    isExclusive: isExclusive(settings),
    hasBeta: features.includes(ACCELERATE_MAINLAND),
    isStrict: features.includes(STRICT_COMBINATIONS),
  };
  const row = ROWS.find(({ when }) => when(facts));
  return row && refuse(row.code, row.detail);
}
