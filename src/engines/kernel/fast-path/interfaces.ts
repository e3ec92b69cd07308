/** Which interfaces there are, asked of the kernel's routing socket, as far as the fast path needs to know. Pure. */
import { RTM_GETLINK } from '../../../linux/abi.ts';
import type { Message } from '../../../linux/netlink/messages.ts';

const ARPHRD_ETHER = 1;
/** struct ifinfomsg begins with the four bytes that linux/netlink/messages.ts takes for a header. */
const INFO = { type: -2, index: 0, bytes: 12 } as const;

export function getInterfaces(): Message {
  return { type: RTM_GETLINK, flags: 0, family: 0, attributes: [] };
}

/** The index of one whose frames have an Ethernet header; undefined of any other. */
export function readEthernet(view: DataView, body: number, end: number): number | undefined {
  if (end - body < INFO.bytes || view.getUint16(body + INFO.type, true) !== ARPHRD_ETHER) return undefined;
  return view.getInt32(body + INFO.index, true);
}
