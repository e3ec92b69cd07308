/**
 * Raw HTTP that means harm, made from a seed: the inputs that once took control down (A1 to A9) and their neighbours, each
 * as bytes for one connection. Some 45 % carry a valid signature. test/e2e/hostile-http.test.ts sends 20,000,
 * test/fuzz/http.fuzz.ts a million.
 */
import { type Identity, tc3, type Tc3Signing, v1 } from '../conformance/sign.ts';
import type { RawRequest } from '../../src/api/call.ts';

interface Who {
  readonly root: Identity;
  /** A user without a policy. */
  readonly powerless: Identity;
  readonly zone: string;
  readonly host: string;
}

export interface Hostile {
  readonly kind: string;
  readonly bytes: Buffer;
  readonly signed: boolean;
  /** Nothing can follow it on its connection. */
  readonly last: boolean;
}

/** mulberry32: the same seed, the same calls. */
export function dice(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

function wire({ method, url, headers, body }: RawRequest): Buffer {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${String(value)}\r\n`);
  const length = method === 'GET' ? '' : `Content-Length: ${body.length}\r\n`;
  return Buffer.concat([Buffer.from(`${method} ${url} HTTP/1.1\r\n${lines.join('')}${length}\r\n`, 'latin1'), body]);
}

/** The kinds by name: what is signed and well-formed HTTP first. */
export function hostileCalls({ root, powerless, zone, host }: Who, roll: (below: number) => number) {
  const now = (): Tc3Signing => ({
    timestamp: Math.floor(Date.now() / 1000),
    host,
    language: roll(2) ? 'zh-CN' : 'en-US',
  });
  const call = (action: string, payload: unknown, how: Partial<Tc3Signing> = {}, who = root): RawRequest =>
    tc3(who, action, payload, { ...now(), ...how });
  const form = (parameters: Readonly<Record<string, string>>): RawRequest =>
    v1(root, 'DescribeL4Proxy', parameters, now());
  const many = (count: number, name: (i: number) => string): Record<string, string> =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [name(i), 'x']));
  const long = (most: number): string => 'zZ\u0007\n\u001b[2J'[roll(6)]?.repeat(1 + roll(most)) ?? '';
  /** The dear ones are one in sixteen, so that most batches are cheap enough not to be looked into. */
  const rarely = (most: number): number => (roll(16) === 0 ? most : Math.ceil(most / 50));
  const rule = (i: number): object => ({
    Protocol: 'TCP',
    PortRange: Array.from({ length: 20 }, (_, p) => `${1 + i * 20 + p}`),
    OriginType: 'IP_DOMAIN',
    OriginValue: ['0x7f000001', '64:ff9b::a9fe:a9fe', `a${i}.test\n`],
    OriginPortRange: '80',
  });
  const signed: Readonly<Record<string, () => RawRequest>> = {
    'a list': () => call('DescribeZones', {}),
    'the instances of a zone': () => call('DescribeL4Proxy', { ZoneId: zone, Limit: roll(1000) }),
    'nothing found': () => call('ModifyL4ProxyStatus', { ZoneId: zone, ProxyId: `sid-${roll(99)}`, Status: 'offline' }),
    'long values': () =>
      call('ModifyL4ProxyStatus', { ZoneId: long(rarely(50_000)), ProxyId: long(9), Status: 'offline' }),
    'unknown member': () => call('DescribeZones', { [long(5_000)]: 1 }),
    'missing member': () => call('ModifyL4ProxyStatus', {}),
    'wrong type': () => call('DescribeL4Proxy', { ZoneId: roll(9), Limit: long(9) }),
    'wrong value': () => call('ModifyL4ProxyStatus', { ZoneId: zone, ProxyId: 'x', Status: long(99) }),
    '200 rules': () =>
      call('CreateL4ProxyRules', {
        ZoneId: zone,
        ProxyId: 'x',
        L4ProxyRules: Array.from({ length: 1 + roll(rarely(200)) }, (_, i) => rule(i)),
      }),
    'unknown action': () => call(`No${roll(99)}`, {}),
    'action of the cloud': () => call('CreateRule', {}),
    'unknown version': () => call('DescribeZones', {}, { version: `2022-0${roll(9)}-02` }),
    'wrong token': () => call('DescribeZones', {}, {}, { ...root, token: long(99).replace(/[^\x20-\x7e]/g, 'x') }),
    'no policy': () => call('DescribeZones', `{"a":${'['.repeat(roll(1000))}`, {}, powerless),
    'not JSON': () => call('DescribeZones', long(5_000)),
    'deep JSON': () => call('DescribeZones', `{"Filters":${'['.repeat(30 + roll(3_000))}`),
    'many values': () => call('DescribeZones', `{"Filters":[${'0,'.repeat(rarely(19_000) + roll(rarely(2_000)))}0]}`),
    'many members': () =>
      call(
        'DescribeZones',
        many(roll(rarely(20_000)), (i) => `m${i}`),
      ),
    'more than any action takes': () =>
      roll(20) ? call('DescribeZones', {}) : call('DescribeZones', ' '.repeat(1_100_000)),
    multipart: () =>
      call('DescribeZones', long(99), { headers: { 'content-type': 'multipart/form-data; boundary=x' } }),
    'as many signed headers as are taken': () => {
      const size = rarely(1_500);
      const names = Array.from({ length: 30 }, (_, i) => `x-${i}`);
      const headers = Object.fromEntries(names.map((name) => [name, 'A'.repeat(roll(size))]));
      return call('DescribeZones', {}, { signedHeaders: ['content-type', 'host', ...names], headers });
    },
    'a form': () => form({ ZoneId: zone, 'Filters.0.Name': 'proxy-id', 'Filters.0.Values.0': long(9) }),
    'a form with gaps': () => form({ ZoneId: zone, [`Filters.${1 + roll(1e9)}.Name`]: 'x' }),
    'a form of thousands': () => form(many(roll(rarely(6_100)), (i) => `A_${i}.B`)),
    'a form of too many': () => (roll(10) ? form({}) : form(many(6_200, (i) => `${i}`))),
  };
  const forged = (how: Partial<Tc3Signing> = {}, who: Identity = { ...root, secretKey: 'no' }): RawRequest =>
    call('DescribeZones', {}, how, who);
  const unsigned: Readonly<Record<string, () => RawRequest>> = {
    'wrong key': () => forged(),
    'wrong key, any body': () => call('DescribeZones', long(rarely(99_000)), {}, { ...root, secretKey: 'no' }),
    stranger: () => forged({}, { secretId: `AKID${roll(9999)}`, secretKey: 'no' }),
    late: () => forged({ timestamp: roll(1e9) }),
    'no SecretId': () => forged({}, { secretId: 'A'.repeat(129 + roll(99)), secretKey: 'no' }),
    'no Authorization': () => forged({ headers: { authorization: long(99).replace(/[^\x20-\x7e]/g, 'x') } }),
    'a name 1,900 times': () => {
      const names = Array.from({ length: 1_900 }, () => 'a');
      const scope = `Credential=${root.secretId}/2026-01-01/teo/tc3_request`;
      const authorization = `TC3-HMAC-SHA256 ${scope}, SignedHeaders=content-type;host;${names.join(';')}, Signature=x`;
      return forged({ headers: { authorization: authorization.slice(0, 4_090), a: 'A'.repeat(rarely(50_000)) } });
    },
    'as many names as are taken, and long': () => {
      const size = rarely(1_900);
      const names = Array.from({ length: 30 }, (_, i) => `x-${i}`);
      const headers = Object.fromEntries(names.map((name) => [name, 'A'.repeat(size)]));
      return forged({ signedHeaders: ['content-type', 'host', ...names], headers, host: `A.${host}` });
    },
    'too many names': () =>
      forged({ signedHeaders: ['content-type', 'host', ...Object.keys(many(31, (i) => `y${i}`))] }),
    'a forged form': () =>
      v1(
        { ...root, secretKey: 'no' },
        'X',
        many(roll(rarely(6_000)), (i) => `A_${i}`),
        { ...now(), host: `A.${host}` },
      ),
    'another method': () => ({ ...forged(), method: 'PUT' }),
    nothing: () => ({ method: 'GET', url: '//', headers: {}, body: Buffer.alloc(0), peer: '' }),
    'a long query': () => ({
      method: 'GET',
      url: `/?${'a=%zz&'.repeat(roll(rarely(9_000)))}`,
      headers: {},
      body: Buffer.alloc(0),
      peer: '',
    }),
  };
  const last: Readonly<Record<string, () => Buffer>> = {
    noise: () => Buffer.from(Array.from({ length: roll(400) }, () => roll(256))),
    'too many headers': () => Buffer.from(`GET / HTTP/1.1\r\n${`A: ${'x'.repeat(roll(50))}\r\n`.repeat(4_000)}\r\n`),
    'a long header': () => Buffer.from(`GET / HTTP/1.1\r\nA: ${'x'.repeat(60_000 + roll(60_000))}\r\n\r\n`),
    'an odd method': () => Buffer.from('BREW / HTTP/1.1\r\n\r\n'),
    'chunks of one byte': () =>
      Buffer.from(`POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n${'1\r\nx\r\n'.repeat(roll(rarely(5_000)))}`),
    'two lengths': () => Buffer.from('POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n'),
    'more than it may be': () => Buffer.from(`POST / HTTP/1.1\r\nContent-Length: ${roll(1e9) + 2e6}\r\n\r\n`),
  };
  const kinds = (set: object): string[] => Object.keys(set);
  const [withKey, without, ending] = [kinds(signed), kinds(unsigned), kinds(last)];
  const pick = (names: readonly string[]): string => names[roll(names.length)] ?? '';

  /** A good call with a few bytes changed: it may end anywhere. */
  function changed(): Hostile {
    const bytes = wire((signed[pick(withKey)] ?? (() => call('DescribeZones', {})))());
    const at = Math.min(bytes.length, 1_500);
    for (let times = 1 + roll(3); times > 0; times--) bytes[roll(at)] = roll(256);
    return { kind: 'changed bytes', bytes, signed: false, last: true };
  }
  return {
    /** One that others may follow. */
    next(): Hostile {
      const isSigned = roll(100) < 48;
      const kind = pick(isSigned ? withKey : without);
      const make = (isSigned ? signed : unsigned)[kind];
      return { kind, bytes: wire(make?.() ?? call('DescribeZones', {})), signed: isSigned, last: false };
    },
    /** More calls at once than a connection may have, as one: alone, or those before them are answered first. */
    crowd(): Hostile {
      const bytes = Buffer.from('GET // HTTP/1.1\r\n\r\n'.repeat(70));
      return { kind: 'too many calls at once', bytes, signed: false, last: true };
    },
    /** One that ends its connection. */
    end(): Hostile {
      if (roll(3) > 0) return changed();
      const kind = pick(ending);
      return { kind, bytes: last[kind]?.() ?? Buffer.alloc(0), signed: false, last: true };
    },
  };
}
