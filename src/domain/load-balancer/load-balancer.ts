/** Origin groups in order of priority, with a health check. Record key: `load-balancer/<zone>/<id>`. */
import type { Stamp } from '../stamp.ts';

export interface LoadBalancer {
  readonly id: string;
  readonly zone: string;
  readonly name: string;
  readonly type: 'HTTP' | 'GENERAL';
  /** Lowest number first. */
  readonly groups: readonly { readonly priority: number; readonly group: string }[];
  readonly failover: 'OtherOriginGroup' | 'OtherRecordInOriginGroup';
  /** The revision that last changed anything but the name. */
  readonly changed: Stamp;
}
