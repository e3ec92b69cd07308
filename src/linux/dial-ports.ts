/**
 * Which local ports an edge may dial from: those of the setting that the system hands to no other program. A port that is
 * bound explicitly inside the system's own range is lost to every program, towards every destination, until its TIME_WAIT
 * is over, so the range is left alone. Pure; the edge and `edgefour doctor` read the files and ask.
 */
import { parsePortSpan, type PortSpan } from '../lib/net/ports.ts';

/** Under /proc/sys/net/ipv4; the same numbers hold for IPv6. */
export const PORT_FILES = ['ip_local_port_range', 'ip_local_reserved_ports', 'ip_unprivileged_port_start'] as const;
/** Their texts; '' where there is none. */
export type PortTexts = Readonly<Record<(typeof PORT_FILES)[number], string>>;

/** 1 at each port that may be dialled from. */
export function dialPorts(spans: readonly PortSpan[], texts: PortTexts): Uint8Array {
  const may = new Uint8Array(65_536);
  for (const { from, to } of spans) may.fill(1, from, to + 1);
  for (const { from, to } of [...rangeOf(texts.ip_local_port_range), ...spansOf(texts.ip_local_reserved_ports)])
    may.fill(0, from, to + 1);
  // Others need a capability to bind, which the edge may lack.
  may.fill(0, 0, Number(texts.ip_unprivileged_port_start || '1024'));
  return may;
}

/** `10240-32767,61000-65535`; undefined where it is no such list. */
export function parsePortSpans(text: string): readonly PortSpan[] | undefined {
  const spans = text.split(',').map((word) => parsePortSpan(word.trim()));
  return spans.every((span) => span !== undefined) ? spans : undefined;
}

/** `32768\t60999`. A system that does not tell its range gets no ports of ours. */
function rangeOf(text: string): readonly PortSpan[] {
  const [from = 0, to = 65_535] = text.trim() === '' ? [] : text.trim().split(/\s+/).map(Number);
  return [{ from, to }];
}

function spansOf(text: string): readonly PortSpan[] {
  return text
    .trim()
    .split(',')
    .flatMap((word) => parsePortSpan(word) ?? []);
}
