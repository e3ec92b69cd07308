/** Ports and port ranges as the API writes them: `80` or `81-85`. Pure; the caller decides which fault a refusal is. */

/** Inclusive at both ends; 1 ≤ from ≤ to ≤ 65535. */
export interface PortSpan {
  readonly from: number;
  readonly to: number;
}

const SPAN = /^(\d{1,5})(?:-(\d{1,5}))?$/;

/** `undefined` where the text is not a port or an ascending range of ports. */
export function parsePortSpan(text: string): PortSpan | undefined {
  const match = SPAN.exec(text);
  if (!match) return undefined;
  const from = Number(match[1]);
  const to = match[2] === undefined ? from : Number(match[2]);
  return from >= 1 && to <= 65535 && from <= to ? { from, to } : undefined;
}

export function spanSize(span: PortSpan): number {
  return span.to - span.from + 1;
}

export function spansOverlap(a: readonly PortSpan[], b: readonly PortSpan[]): boolean {
  return a.some((x) => b.some((y) => x.from <= y.to && y.from <= x.to));
}

export function formatPortSpan(span: PortSpan): string {
  return span.from === span.to ? `${span.from}` : `${span.from}-${span.to}`;
}
