/**
 * Every code a caller can see, once, with its message in both of the cloud's languages. `common` codes may come from
 * any action (the pipeline raises them); the others only from actions that declare them. `{name}` in a message is
 * filled from the fault's values. Source: spec sections 1.7, 1.8, appendix A.
 */
export interface CatalogueEntry {
  readonly en: string;
  readonly zh: string;
  readonly common?: true;
}

export const CATALOGUE = {
  FailedOperation: { en: 'The operation failed.', zh: '操作失败。', common: true },
  InternalError: { en: 'An internal error occurred.', zh: '内部错误。', common: true },
} as const satisfies Record<string, CatalogueEntry>;

export type FaultCode = keyof typeof CATALOGUE;
