/**
 * One API call on its way through the pipeline: what came in, and what each step has found out so far. A step reads
 * what earlier steps left and adds its own; nothing here decides anything.
 */
import type { KeyPair, PolicyDocument } from '../domain/account/account.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { Revision, Store } from '../store/store.ts';
import type { AnyAction } from './action.ts';
import type { Limiter } from './limiter.ts';
import type { Caller, Surroundings } from './handling/transaction.ts';
import type { Turns } from './handling/turns.ts';

/** An HTTP request as the listener hands it over: header names in lower case, the body complete and untouched. */
export interface RawRequest {
  readonly method: string;
  /** As sent: path and query, not decoded. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Uint8Array;
  /** How long the body is, where `body` does not hold it: it is too long, or its method has no use for one. */
  readonly bodyLength?: number;
  readonly peer: string;
}

export interface RawReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** The call carried a valid signature. */
  readonly signed?: boolean;
}

export type Language = 'en-US' | 'zh-CN';

/** Whose signature the request claims to carry. */
export interface Claim {
  readonly secretId: string;
  /** Whether the action's name and its parameters are under the signature: a proxy on the way can't exchange them. */
  readonly coversCall: boolean;
  /** Whether the signature was made with this key, over exactly this request. */
  holds(secretKey: string): boolean;
}

/** The common parameters of a call, from wherever its signing method puts them; spec section 1.2. */
export interface Message {
  readonly action: string;
  readonly version: string;
  /** Unix seconds. */
  readonly timestamp: number;
  /** Empty unless the key is a temporary one. */
  readonly token: string;
  /** The program that says it calls; may be anything. */
  readonly client: string;
  readonly claim: Claim;
  /** The action's own parameters. Decoded only when asked, which is after the signature holds. */
  parameters(): Parameters;
}

export interface Parameters {
  readonly input: unknown;
  /** Every leaf is text (query string or form). */
  readonly text: boolean;
}

export interface ApiSettings {
  /** Per account and action; 0 means no limit. */
  readonly ratePerSecond: number;
  readonly unknownFields: 'refuse' | 'ignore';
}

export interface ApiOptions {
  readonly store: Store;
  readonly around: Surroundings;
  readonly actions: Readonly<Record<string, AnyAction>>;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly settings: ApiSettings;
}

/** What all calls share. */
export interface ApiContext extends ApiOptions {
  readonly limiter: Limiter;
  readonly turns: Turns;
}

/** Fields are set by the step that the comment names, and read only by later ones. */
export class Call {
  readonly raw: RawRequest;
  readonly requestId: string;
  /** parse, which reads it first. */
  language: Language = 'en-US';
  readonly replyHeaders: Record<string, string> = {};
  /** parse */
  message!: Message;
  /** identify */
  keyPair!: KeyPair;
  /** verify */
  caller!: Caller;
  /** find; absent until then, so that metrics never get a name that a stranger made up. */
  actionName: string | undefined;
  action!: AnyAction;
  /** entitle; none of root, which needs none. */
  policies: readonly PolicyDocument[] = [];
  /** check */
  request!: Readonly<Record<string, unknown>>;
  /** run */
  response!: Readonly<Record<string, unknown>>;
  /** run; of the commit, where there was one. */
  revision: Revision | undefined;

  constructor(raw: RawRequest, requestId: string) {
    this.raw = raw;
    this.requestId = requestId;
  }
}

/** Refuses by throwing a Fault. */
export type Step = (call: Call, api: ApiContext) => void | Promise<void>;

/** A header's value, repeated ones joined as HTTP says. */
export function header(raw: Pick<RawRequest, 'headers'>, name: string): string | undefined {
  // A client may name `constructor` among its signed headers.
  const value = Object.hasOwn(raw.headers, name) ? raw.headers[name] : undefined;
  return typeof value === 'object' ? value.join(', ') : value;
}
