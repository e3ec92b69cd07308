/** `edgefour unban`: lifts a ban; what the owner of the instance wanted counts again. */
import { EdgeFourUnbanL4Proxy } from '../../api/actions/edgefour/EdgeFourUnbanL4Proxy.ts';
import { instanceCommand } from '../client/instance-command.ts';

export const command = instanceCommand('unban', 'EdgeFourUnbanL4Proxy', EdgeFourUnbanL4Proxy);
