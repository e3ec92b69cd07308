/**
 * The list: every action EdgeFour answers, sorted by room. Validation, permissions, CLI, console, reference pages and
 * the conformance tests are derived from it. Adding an action: its file, and its line here.
 */
import type { AnyAction } from '../action.ts';
import { EdgeFourAddFault } from './edgefour/EdgeFourAddFault.ts';
import { EdgeFourClearFaults } from './edgefour/EdgeFourClearFaults.ts';
import { EdgeFourCreateKey } from './edgefour/EdgeFourCreateKey.ts';
import { EdgeFourDeletePolicy } from './edgefour/EdgeFourDeletePolicy.ts';
import { EdgeFourListFaults } from './edgefour/EdgeFourListFaults.ts';
import { EdgeFourListKeys } from './edgefour/EdgeFourListKeys.ts';
import { EdgeFourListPolicies } from './edgefour/EdgeFourListPolicies.ts';
import { EdgeFourPutPolicy } from './edgefour/EdgeFourPutPolicy.ts';
import { EdgeFourRevokeKey } from './edgefour/EdgeFourRevokeKey.ts';
import { CreateL4Proxy } from './l4-proxy/CreateL4Proxy.ts';
import { DescribeL4Proxy } from './l4-proxy/DescribeL4Proxy.ts';
import { CreateL4ProxyRules } from './l4-rule/CreateL4ProxyRules.ts';
import { DescribeL4ProxyRules } from './l4-rule/DescribeL4ProxyRules.ts';

export const ACTIONS = {
  // edgefour: what the cloud has in its console or in other products
  EdgeFourAddFault,
  EdgeFourClearFaults,
  EdgeFourCreateKey,
  EdgeFourDeletePolicy,
  EdgeFourListFaults,
  EdgeFourListKeys,
  EdgeFourListPolicies,
  EdgeFourPutPolicy,
  EdgeFourRevokeKey,
  // l4-proxy
  CreateL4Proxy,
  DescribeL4Proxy,
  // l4-rule
  CreateL4ProxyRules,
  DescribeL4ProxyRules,
} as const satisfies Record<string, AnyAction>;
