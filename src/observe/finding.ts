/** A finding of the doctor: fine, worth changing, or in the way. One line each; commands/doctor.ts prints them. */
export interface Finding {
  readonly about: string;
  /** `warn`: EdgeFour runs, with something missing. `bad`: `edgefour up` would not start or not serve. */
  readonly state: 'ok' | 'warn' | 'bad';
  readonly text: string;
  /** The change that helps. */
  readonly fix?: string;
}

/** One look at the machine. edge/doctor/checks.ts and control/doctor/checks.ts list theirs. */
export type Check<Subject> = (subject: Subject) => readonly Finding[] | Promise<readonly Finding[]>;

export const ok = (about: string, text: string): Finding => ({ about, state: 'ok', text });
export const warn = (about: string, text: string, fix: string): Finding => ({ about, state: 'warn', text, fix });
export const bad = (about: string, text: string, fix?: string): Finding => ({
  about,
  state: 'bad',
  text,
  ...(fix !== undefined && { fix }),
});
