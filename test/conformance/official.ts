/**
 * The three official Node clients behind one call, each set up as its own documentation says and otherwise unmodified:
 * the mainland SDK (TC3), the international SDK (HmacSHA256 forms by default), and the small capi client (HmacSHA1).
 */
import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import { Capi } from '@tencent-sdk/capi';
import { teo } from 'tencentcloud-sdk-nodejs-teo';

export interface Official {
  readonly name: string;
  /** Resolves with the `Response`; rejects with an error that has the API's `code`. */
  call<T = Record<string, unknown>>(action: string, request: object): Promise<T>;
}

interface KeyOf {
  readonly secretId: string;
  readonly secretKey: string;
}

type Method = (request: object) => Promise<unknown>;

/** `api`: `http://host:port`. */
export function officialClients(api: string, key: KeyOf): readonly Official[] {
  const endpoint = api.replace(/^http:\/\//, '');
  return [mainland(endpoint, key), international(endpoint, key), capi(endpoint, key)];
}

function mainland(endpoint: string, key: KeyOf): Official {
  const profile = { httpProfile: { endpoint, protocol: 'http://' } };
  const client = new teo.v20220901.Client({
    credential: { secretId: key.secretId, secretKey: key.secretKey },
    profile,
  });
  const methods = client as unknown as Record<string, Method>;
  return { name: 'Node SDK', call: <T>(action: string, request: object) => methods[action]!(request) as Promise<T> };
}

/** The parts of the international edition, which has no types, that are used here. */
interface Intl {
  Client: new (credential: object, region: string, profile: object) => Record<string, Function>;
  Models: Record<string, new () => { from_json_string(text: string): void }>;
}
interface IntlCommon {
  Credential: new (id: string, key: string) => object;
  ClientProfile: new () => { httpProfile: object };
  HttpProfile: new () => { endpoint: string; protocol: string };
}

function international(endpoint: string, key: KeyOf): Official {
  const load = createRequire(import.meta.url);
  const { Client, Models } = load('tencentcloud-sdk-nodejs-intl-en/tencentcloud/teo/v20220901/index.js') as Intl;
  const common = load('tencentcloud-sdk-nodejs-intl-en/tencentcloud/common/index.js') as IntlCommon;
  const httpProfile = Object.assign(new common.HttpProfile(), { endpoint, protocol: 'http://' });
  const profile = Object.assign(new common.ClientProfile(), { httpProfile });
  const client = new Client(new common.Credential(key.secretId, key.secretKey), '', profile);
  return {
    name: 'Node SDK, international',
    call<T>(action: string, fields: object) {
      const request = new Models[`${action}Request`]!();
      request.from_json_string(JSON.stringify(fields));
      return promisify(client[action]!.bind(client) as (request: object, done: (e: unknown, r: T) => void) => void)(
        request,
      );
    },
  };
}

type Fields = Parameters<Capi['request']>[0];

function capi(endpoint: string, key: KeyOf): Official {
  // Without isPascalCase: false it respells what it knows no better, and sends ClientIpPassThroughMode.
  const cloud = { region: 'ap-guangzhou', serviceType: 'teo', version: '2022-09-01', isPascalCase: false };
  const client = new Capi({ secretId: key.secretId, secretKey: key.secretKey, ...cloud });
  return {
    name: 'capi',
    async call<T>(action: string, request: object) {
      // Its typings know the respelled form only.
      const fields: unknown = { Action: action, ...request };
      const options = { host: endpoint, protocol: 'http', path: '/' };
      const reply = (await client.request(fields as Fields, options)) as {
        Response: T & { Error?: { Code: string; Message: string } };
      };
      const { Error: refused } = reply.Response;
      if (refused) throw Object.assign(new Error(refused.Message), { code: refused.Code });
      return reply.Response;
    },
  };
}
