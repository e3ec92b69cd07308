import { oneOf, string } from '../../../shape/shape.ts';
import { action } from '../../action.ts';
import { zonesSeen } from '../../handling/zones.ts';

export const VerifyOwnership = action({
  summary:
    'Check that a domain is yours. EdgeFour asks for no proof: the domain of a zone of yours, or one below it, is.',
  access: 'read',
  touches: 'seen',
  request: { Domain: string('Domain of a zone, or one below it.', { min: 1, max: 253 }) },
  response: {
    Status: oneOf(['success', 'fail'], 'Whether ownership is proved.'),
    Result: string('Why not; empty on success.'),
  },
  errors: ['ResourceNotFound'],
  example: {
    title: 'Check a domain',
    request: { Domain: 'example.com' },
    response: { Status: 'success', Result: '' },
  },
  handle(tx, { Domain }) {
    const domain = `.${Domain.toLowerCase()}`;
    const isIn = (name: string): boolean => name !== '' && domain.endsWith(`.${name.toLowerCase()}`);
    if (!zonesSeen(tx).some(({ name }) => isIn(name)))
      throw tx.refuse('ResourceNotFound', `No zone of yours has ${Domain}.`);
    return { Status: 'success' as const, Result: '' };
  },
});
