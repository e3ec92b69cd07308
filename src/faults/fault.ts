/**
 * What a caller may see when something is refused. Domain code returns a Fault, the pipeline turns it into the wire's
 * error envelope. Broken is the other kind: an invariant of ours does not hold; callers see `InternalError`, the log
 * has the rest.
 */
import type { FaultCode } from './catalogue.ts';

export class Fault<Code extends FaultCode = FaultCode> extends Error {
  readonly code: Code;
  /** The refused value and the reason, for the log and for the message's end. Never a secret. */
  readonly detail: string | undefined;
  /** Values for the `{…}` places of the catalogue's message. */
  readonly values: Readonly<Record<string, string>>;

  constructor(code: Code, detail?: string, values: Readonly<Record<string, string>> = {}) {
    super(detail === undefined ? code : `${code}: ${detail}`);
    this.name = 'Fault';
    this.code = code;
    this.detail = detail;
    this.values = values;
  }
}

export class Broken extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'Broken';
  }
}

export function refuse<Code extends FaultCode>(
  code: Code,
  detail?: string,
  values?: Readonly<Record<string, string>>,
): Fault<Code> {
  return new Fault(code, detail, values);
}
