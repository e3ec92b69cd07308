/**
 * The list: every action EdgeFour answers, sorted by room. Validation, permissions, CLI, console, reference pages and
 * the conformance tests are derived from it. Adding an action: its file, and its line here.
 */
import { EdgeFourUnbanNetwork } from './edgefour/EdgeFourUnbanNetwork.ts';
import { EdgeFourSetLimits } from './edgefour/EdgeFourSetLimits.ts';
import { EdgeFourPutAddressList } from './edgefour/EdgeFourPutAddressList.ts';
import { EdgeFourDescribeLimits } from './edgefour/EdgeFourDescribeLimits.ts';
import { EdgeFourBanNetwork } from './edgefour/EdgeFourBanNetwork.ts';
import type { AnyAction } from '../action.ts';
import { EdgeFourAddFault } from './edgefour/EdgeFourAddFault.ts';
import { EdgeFourBanL4Proxy } from './edgefour/EdgeFourBanL4Proxy.ts';
import { EdgeFourClearFaults } from './edgefour/EdgeFourClearFaults.ts';
import { EdgeFourCreateKey } from './edgefour/EdgeFourCreateKey.ts';
import { EdgeFourDeletePolicy } from './edgefour/EdgeFourDeletePolicy.ts';
import { EdgeFourDescribeOrigins } from './edgefour/EdgeFourDescribeOrigins.ts';
import { EdgeFourDescribeStatus } from './edgefour/EdgeFourDescribeStatus.ts';
import { EdgeFourListFaults } from './edgefour/EdgeFourListFaults.ts';
import { EdgeFourListKeys } from './edgefour/EdgeFourListKeys.ts';
import { EdgeFourListPolicies } from './edgefour/EdgeFourListPolicies.ts';
import { EdgeFourPutPolicy } from './edgefour/EdgeFourPutPolicy.ts';
import { EdgeFourReset } from './edgefour/EdgeFourReset.ts';
import { EdgeFourRevokeKey } from './edgefour/EdgeFourRevokeKey.ts';
import { EdgeFourDescribeHealthChecks } from './edgefour/EdgeFourDescribeHealthChecks.ts';
import { EdgeFourSetHealthCheck } from './edgefour/EdgeFourSetHealthCheck.ts';
import { EdgeFourSetOriginState } from './edgefour/EdgeFourSetOriginState.ts';
import { EdgeFourSetRuleOptions } from './edgefour/EdgeFourSetRuleOptions.ts';
import { EdgeFourUnbanL4Proxy } from './edgefour/EdgeFourUnbanL4Proxy.ts';
import { CreateL4Proxy } from './l4-proxy/CreateL4Proxy.ts';
import { DeleteL4Proxy } from './l4-proxy/DeleteL4Proxy.ts';
import { DescribeL4Proxy } from './l4-proxy/DescribeL4Proxy.ts';
import { ModifyL4Proxy } from './l4-proxy/ModifyL4Proxy.ts';
import { ModifyL4ProxyStatus } from './l4-proxy/ModifyL4ProxyStatus.ts';
import { CreateL4ProxyRules } from './l4-rule/CreateL4ProxyRules.ts';
import { DeleteL4ProxyRules } from './l4-rule/DeleteL4ProxyRules.ts';
import { DescribeL4ProxyRules } from './l4-rule/DescribeL4ProxyRules.ts';
import { ModifyL4ProxyRules } from './l4-rule/ModifyL4ProxyRules.ts';
import { ModifyL4ProxyRulesStatus } from './l4-rule/ModifyL4ProxyRulesStatus.ts';
import { CreateLoadBalancer } from './load-balancer/CreateLoadBalancer.ts';
import { DeleteLoadBalancer } from './load-balancer/DeleteLoadBalancer.ts';
import { DescribeLoadBalancerList } from './load-balancer/DescribeLoadBalancerList.ts';
import { DescribeOriginGroupHealthStatus } from './load-balancer/DescribeOriginGroupHealthStatus.ts';
import { ModifyLoadBalancer } from './load-balancer/ModifyLoadBalancer.ts';
import { CreateOriginGroup } from './origin-group/CreateOriginGroup.ts';
import { DeleteOriginGroup } from './origin-group/DeleteOriginGroup.ts';
import { DescribeOriginGroup } from './origin-group/DescribeOriginGroup.ts';
import { ModifyOriginGroup } from './origin-group/ModifyOriginGroup.ts';
import { BindZoneToPlan } from './plan/BindZoneToPlan.ts';
import { CreatePlan } from './plan/CreatePlan.ts';
import { CreatePlanForZone } from './plan/CreatePlanForZone.ts';
import { DescribeAvailablePlans } from './plan/DescribeAvailablePlans.ts';
import { DescribePlans } from './plan/DescribePlans.ts';
import { DescribeIPRegion } from './region/DescribeIPRegion.ts';
import { DescribeResourceTagsByResourceIds } from './tag/DescribeResourceTagsByResourceIds.ts';
import { ModifyResourceTags } from './tag/ModifyResourceTags.ts';
import { CreateZone } from './zone/CreateZone.ts';
import { DeleteZone } from './zone/DeleteZone.ts';
import { DescribeZones } from './zone/DescribeZones.ts';
import { ModifyZone } from './zone/ModifyZone.ts';
import { ModifyZoneStatus } from './zone/ModifyZoneStatus.ts';
import { VerifyOwnership } from './zone/VerifyOwnership.ts';

export const ACTIONS = {
  // edgefour: what the cloud has in its console or in other products
  EdgeFourAddFault,
  EdgeFourBanNetwork,
  EdgeFourBanL4Proxy,
  EdgeFourClearFaults,
  EdgeFourCreateKey,
  EdgeFourDeletePolicy,
  EdgeFourDescribeHealthChecks,
  EdgeFourDescribeLimits,
  EdgeFourDescribeOrigins,
  EdgeFourDescribeStatus,
  EdgeFourListFaults,
  EdgeFourListKeys,
  EdgeFourListPolicies,
  EdgeFourPutAddressList,
  EdgeFourPutPolicy,
  EdgeFourReset,
  EdgeFourRevokeKey,
  EdgeFourSetLimits,
  EdgeFourSetHealthCheck,
  EdgeFourSetOriginState,
  EdgeFourSetRuleOptions,
  EdgeFourUnbanL4Proxy,
  EdgeFourUnbanNetwork,
  // l4-proxy
  CreateL4Proxy,
  DeleteL4Proxy,
  DescribeL4Proxy,
  ModifyL4Proxy,
  ModifyL4ProxyStatus,
  // l4-rule
  CreateL4ProxyRules,
  DeleteL4ProxyRules,
  DescribeL4ProxyRules,
  ModifyL4ProxyRules,
  ModifyL4ProxyRulesStatus,
  // load-balancer
  CreateLoadBalancer,
  DeleteLoadBalancer,
  DescribeLoadBalancerList,
  DescribeOriginGroupHealthStatus,
  ModifyLoadBalancer,
  // origin-group
  CreateOriginGroup,
  DeleteOriginGroup,
  DescribeOriginGroup,
  ModifyOriginGroup,
  // plan
  BindZoneToPlan,
  CreatePlan,
  CreatePlanForZone,
  DescribeAvailablePlans,
  DescribePlans,
  // region
  DescribeIPRegion,
  // tag: the tag product, as far as zones have tags
  DescribeResourceTagsByResourceIds,
  ModifyResourceTags,
  // zone
  CreateZone,
  DeleteZone,
  DescribeZones,
  ModifyZone,
  ModifyZoneStatus,
  VerifyOwnership,
} as const satisfies Record<string, AnyAction>;
