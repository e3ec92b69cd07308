/** An error that the API answered instead of a result. explain.ts prints it and exits with 1. */
export class Refusal extends Error {
  readonly code: string;
  readonly requestId: string;
  constructor(code: string, message: string, requestId: string) {
    super(message);
    this.name = 'Refusal';
    this.code = code;
    this.requestId = requestId;
  }
}
