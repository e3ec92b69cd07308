/**
 * The revision of the write that carries a value. Domain code writes THIS_WRITE; the record codec (store/records.ts)
 * replaces it by the record's own revision when the record is read, so pure code never needs to know a revision
 * before the commit that makes it.
 */
export type Stamp = number;
export const THIS_WRITE: Stamp = 0;
