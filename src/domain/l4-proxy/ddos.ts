/** The DDoS protection levels that an instance can ask for. Pure. Source: spec section 3.1. */
import { type Fault, refuse } from '../../faults/fault.ts';
import type { DdosConfig } from './l4-proxy.ts';

/** Gbit/s that each mainland level can stretch over. */
const BANDWIDTH = { BASE30_MAX300: { min: 30, max: 300 }, BASE60_MAX600: { min: 60, max: 600 } } as const;

/** wire: with PLATFORM, and 0 for "not given" (Terraform), the bandwidth means nothing. */
export function ddosFault(ddos: DdosConfig | undefined): Fault<'InvalidParameterValue'> | undefined {
  const { levelMainland: level = 'PLATFORM', maxBandwidthMainland: bandwidth = 0 } = ddos ?? {};
  if (level === 'PLATFORM' || bandwidth === 0) return undefined;
  const { min, max } = BANDWIDTH[level];
  if (bandwidth >= min && bandwidth <= max) return undefined;
  const detail = `\`DDosProtectionConfig.MaxBandwidthMainland\` must be ${min} to ${max} with ${level}.`;
  return refuse('InvalidParameterValue', detail, { parameter: 'DDosProtectionConfig.MaxBandwidthMainland' });
}
