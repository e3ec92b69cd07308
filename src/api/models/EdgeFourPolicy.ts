/** A CAM policy as the API shows it, and the form of the names that users and policies have. */
import type { Policy } from '../../domain/account/account.ts';
import { type Fields, type Infer, string } from '../../shape/shape.ts';

/** Safe in a record key, a URL and a shell. */
export const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;

export const EdgeFourPolicy = {
  Name: string('Name of the policy.'),
  Document: string('The CAM document, as JSON text.'),
} as const satisfies Fields;

export function shownPolicy(policy: Policy): Infer<typeof EdgeFourPolicy> {
  return { Name: policy.name, Document: JSON.stringify(policy.document) };
}
