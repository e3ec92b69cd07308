/** Origin groups in order of priority, with a health check. Record key: `load-balancer/<zone>/<id>`. */
import type { Stamp } from '../stamp.ts';
import type { HealthChecker } from './health-checker.ts';

export const BALANCER_TYPES = ['HTTP', 'GENERAL'] as const;
export const FAILOVERS = ['OtherOriginGroup', 'OtherRecordInOriginGroup'] as const;

export interface LoadBalancer {
  readonly id: string;
  readonly zone: string;
  /** No other balancer of the zone has it. */
  readonly name: string;
  readonly type: (typeof BALANCER_TYPES)[number];
  /** As written: each priority once, of which the lowest number comes first; one group may stand at several. */
  readonly groups: readonly { readonly priority: number; readonly group: string }[];
  /** As sent; absent means that origins are not checked. */
  readonly checker?: HealthChecker;
  /** wire: Pritory is the only policy, and spelled so; here is whether the caller named it. */
  readonly steering?: 'Pritory';
  /** Absent means OtherRecordInOriginGroup. */
  readonly failover?: (typeof FAILOVERS)[number];
  /** The revision that last changed anything but the name. */
  readonly changed: Stamp;
}
