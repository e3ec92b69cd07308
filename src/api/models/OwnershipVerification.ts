/** The cloud's OwnershipVerification: how a client tells its user to prove that a domain is theirs. */
import type { Proof } from '../../domain/zone/ownership.ts';
import { type Infer, list, nullable, object, string } from '../../shape/shape.ts';

export const OWNERSHIP_VERIFICATION = object(
  {
    DnsVerification: nullable(
      object(
        {
          Subdomain: string('Host record.'),
          RecordType: string('Record type.'),
          RecordValue: string('Record value.'),
        },
        'Proof by a DNS record.',
      ),
    ),
    FileVerification: nullable(
      object({ Path: string('URL path.'), Content: string('Content of the file.') }, 'Proof by a file.'),
    ),
    NsVerification: nullable(
      object({ NameServers: list(string('Name server.'), 'Name servers to move to.') }, 'Proof by name servers.'),
    ),
  },
  'Proof of ownership.',
);
type OwnershipVerification = Infer<typeof OWNERSHIP_VERIFICATION.fields>;

/** wire: branches that don't apply are null, and so is the whole where there is nothing to own. */
export function showProof(proof: Proof | undefined): OwnershipVerification | null {
  if (proof === undefined) return null;
  const { dns, file, nameServers } = proof;
  return {
    DnsVerification: dns ? { Subdomain: dns.subdomain, RecordType: dns.type, RecordValue: dns.value } : null,
    FileVerification: file ? { Path: file.path, Content: file.content } : null,
    NsVerification: nameServers ? { NameServers: [...nameServers] } : null,
  };
}
