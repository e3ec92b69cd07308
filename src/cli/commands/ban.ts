/** `edgefour ban`: an operator's act; the instance forwards nothing and takes no changes until the ban is lifted. */
import { EdgeFourBanL4Proxy } from '../../api/actions/edgefour/EdgeFourBanL4Proxy.ts';
import { instanceCommand } from '../client/instance-command.ts';

export const command = instanceCommand('ban', 'EdgeFourBanL4Proxy', EdgeFourBanL4Proxy);
