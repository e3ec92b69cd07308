/**
 * The index of who uses an origin group or a load balancer, so that neither goes or changes under its users. Written in the
 * commit that makes the use, by api/handling/uses.ts. Ids of groups and balancers are unique in the world.
 */

/** An instance, by its rules, or a load balancer. Record key: `uses/<group or balancer>/<user>`. */
export type Use =
  | { readonly kind: 'l4-proxy'; readonly id: string; readonly name: string }
  | { readonly kind: 'load-balancer'; readonly id: string };

/**
 * Written again by each new user of a group or balancer. A call that deletes or changes it guards this one key, however
 * many users there are. Record key: `last-use/<group or balancer>`.
 */
export interface LastUse {
  readonly by: string;
}
