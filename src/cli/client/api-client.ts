/**
 * Calls the API of a running control as any client would: signed, over HTTP. Used by every command that talks to it, and
 * by tests. A refusal of the API is a Refusal with its code; a control that can't be reached is a Usage that says so.
 */
import { Usage } from '../../config/usage.ts';
import { http } from '../../lib/node-http.ts';
import { Refusal } from './refusal.ts';
import { type Pair, signedHeaders } from './sign.ts';

export interface Client {
  /** The fields of the response without RequestId. Throws Refusal or Usage. */
  call<T = Record<string, unknown>>(action: string, fields?: object, service?: Service): Promise<T>;
  readonly endpoint: string;
}

/** Which product's version an action is called with. */
type Service = 'teo' | 'tag' | 'edgefour';
const VERSIONS: Readonly<Record<Service, string>> = { teo: '2022-09-01', tag: '2018-08-13', edgefour: '2022-09-01' };

interface Envelope {
  readonly Response?: { Error?: { Code: string; Message: string }; RequestId?: string; [field: string]: unknown };
}

const ANSWER_WITHIN_MS = 30_000;

export function apiClient(endpoint: string, pair: Pair, now: () => number): Client {
  const url = new URL(endpoint);
  return {
    endpoint,
    async call<T>(action: string, fields: object = {}, service: Service = 'teo'): Promise<T> {
      const body = JSON.stringify(fields);
      const call = { host: url.host, service, version: VERSIONS[service], action, body, now: now() };
      const answer = readEnvelope(await post(url, body, signedHeaders(call, pair)));
      if (!answer?.Response) throw new Usage(`${endpoint} answers, but not as an EdgeOne API. Check --endpoint.`);
      const { Error: error, RequestId: requestId = '', ...rest } = answer.Response;
      if (error) throw new Refusal(error.Code, error.Message, requestId);
      return rest as T;
    },
  };
}

function readEnvelope(text: string): Envelope | undefined {
  try {
    return JSON.parse(text) as Envelope;
  } catch {
    return undefined;
  }
}

function post(url: URL, body: string, headers: Record<string, string>): Promise<string> {
  return new Promise((resolve, reject) => {
    function failed(error: NodeJS.ErrnoException): void {
      const why = error.code ?? error.message;
      const start = 'Start it with `edgefour up`, or set --endpoint.';
      reject(new Usage(`Can't reach the API at ${url.origin} (${why}). ${start}`));
    }
    const options = { method: 'POST', headers, timeout: ANSWER_WITHIN_MS };
    const sent = http.request(url, options, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () => resolve(Buffer.concat(parts).toString('utf8')));
      response.on('error', failed);
    });
    sent.on('timeout', () => sent.destroy(new Error(`no answer in ${ANSWER_WITHIN_MS / 1_000} s`)));
    sent.on('error', failed);
    sent.end(body);
  });
}
