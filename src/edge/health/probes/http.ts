/**
 * Probe of HTTP and HTTPS: one request, the status of its answer, and up to three redirects, none of them to where policy
 * lets no origin be. Certificates are not verified, bodies are not read. Called by probe.ts.
 */
import { isIP } from 'node:net';
import type { ProbeResult } from '../../../domain/fact/health.ts';
import type { HttpChecker } from '../../../domain/load-balancer/checker.ts';
import type { Clock } from '../../../lib/clock.ts';
import { excerpt } from '../../../lib/excerpt.ts';
import { type EgressRule, readHost } from '../../../lib/net/egress.ts';
import type { Lookup } from '../../origins/lookup.ts';
import { converse, type News } from './conversation.ts';
import { type HttpAnswer, HttpHead } from './http-answer.ts';
import { announcement } from './proxy-local.ts';

export interface HttpTools {
  readonly clock: Clock;
  readonly egress: EgressRule;
  readonly lookup: Lookup;
}

interface Place {
  readonly url: URL;
  readonly address: string;
  readonly port: number;
}

const MOST_REDIRECTS = 3;
const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };

export async function probeHttp(origin: string, checker: HttpChecker, tools: HttpTools): Promise<ProbeResult> {
  const { type, path, port, timeoutSeconds } = checker;
  const codes = checker.codes.length > 0 ? checker.codes : ['2xx'];
  const start = tools.clock.monotonic();
  // A check without a path asks the origin for its first page, under its own address.
  const page = path === '' ? `${origin.includes(':') ? `[${origin}]` : origin}/` : path;
  const url = parseUrl(`${type.toLowerCase()}://${page}`);
  if (!url) return ill(`${excerpt(path)} is no host and path`);
  let place: Place = { url, address: origin, port };
  for (let hops = 0; ; hops++) {
    const left = timeoutSeconds * 1_000 - (tools.clock.monotonic() - start);
    const answer =
      left > 0 ? await ask(place, checker, left, tools.clock) : { bad: `no answer within ${timeoutSeconds} s` };
    if ('verdict' in answer) return answer;
    if ('bad' in answer) return ill(answer.bad);
    const { status, location } = answer;
    if (matches(status, codes)) return { verdict: 'healthy', reason: `HTTP ${status}` };
    const leadsOn = checker.followsRedirects && status >= 300 && status < 400 && location !== undefined;
    if (!leadsOn) return ill(`HTTP ${status} instead of ${codes.join(', ')}`);
    if (hops === MOST_REDIRECTS)
      return ill(`more than ${MOST_REDIRECTS} redirects, the last one to ${excerpt(location)}`);
    const next = await follow(location, place, { url, address: origin, port }, left, tools);
    if (typeof next === 'string') return ill(`HTTP ${status} to ${excerpt(location)}: ${next}`);
    place = next;
  }
}

const ill = (reason: string): ProbeResult => ({ verdict: 'unhealthy', reason });

/** `2xx` stands for a class. */
function matches(status: number, codes: readonly string[]): boolean {
  return codes.some((code) => code === String(status) || code.toLowerCase() === `${Math.trunc(status / 100)}xx`);
}

/** A result where there was no answer to read. */
async function ask(
  place: Place,
  checker: HttpChecker,
  timeoutMs: number,
  clock: Clock,
): Promise<HttpAnswer | ProbeResult> {
  const { url, address, port } = place;
  const head = new HttpHead();
  let answer: HttpAnswer | undefined;
  const hear = (news: News): ProbeResult | undefined => {
    if (news === 'late') return ill(`within ${checker.timeoutSeconds} s: ${head.missed}`);
    if (news === 'closed') return ill(`it closed the connection: ${head.missed}`);
    answer = head.hear(news);
    // The verdict is made of the answer, by the caller.
    return answer && ill('');
  };
  const serverName = url.protocol === 'https:' ? url.hostname.replace(/^\[|\]$/g, '') : undefined;
  const preface = checker.proxy && announcement(checker.proxy);
  const say = requestOf(url, checker);
  const result = await converse({ address, port, timeoutMs, serverName, preface, say, hear, isPolite: true }, clock);
  return answer ?? result;
}

function requestOf(url: URL, { method, headers }: HttpChecker): string {
  const own = new Set(headers.map(({ key }) => key.toLowerCase()));
  const usual = [
    ['Host', url.host],
    ['User-Agent', 'EdgeFour-health-check'],
    ['Accept', '*/*'],
  ].filter(([key = '']) => !own.has(key.toLowerCase()));
  const all = [...usual, ...headers.map(({ key, value }) => [key, value]), ['Connection', 'close']];
  // A header with a line end would be two; the API refuses such, and a record is not trusted to have come from there.
  const lines = all.map((line) => line.join(': ').replaceAll(/[\r\n]+/g, ' '));
  return `${method} ${url.pathname}${url.search} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`;
}

/** Where a redirect leads, or why it is not followed. The check's own host stays with the origin that is checked. */
async function follow(
  location: string,
  from: Place,
  origin: Place,
  ms: number,
  tools: HttpTools,
): Promise<Place | string> {
  const url = parseUrl(location, from.url);
  const defaultPort = DEFAULT_PORTS[url?.protocol ?? ''];
  if (!url || defaultPort === undefined) return 'that is no address of HTTP';
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const isHome = url.hostname === origin.url.hostname;
  if (isHome && url.protocol === origin.url.protocol && url.port === origin.url.port) return { ...origin, url };
  const port = url.port === '' ? defaultPort : Number(url.port);
  if (isHome) return { url, address: origin.address, port };
  const addresses = isIP(host) === 0 ? await lookUp(host, ms, tools) : [host];
  if (addresses.length === 0) return 'that name has no address';
  const address = addresses.find((one) => mayDial(one, tools.egress));
  return address === undefined ? 'policy lets no origin be there' : { url, address, port };
}

/** None where the name has none, or does not answer in time. */
async function lookUp(name: string, ms: number, { clock, lookup }: HttpTools): Promise<readonly string[]> {
  const asked = new AbortController();
  const found = lookup(name).then(
    ({ addresses }) => addresses,
    () => [],
  );
  const addresses = await Promise.race([found, clock.sleep(ms, asked.signal).then(() => [])]);
  asked.abort();
  return addresses;
}

/** As origins are judged. */
export function mayDial(address: string, egress: EgressRule): boolean {
  const host = readHost(address);
  return host.kind === 'address' && host.isPlain && egress(host.bytes) === undefined;
}

function parseUrl(text: string, base?: URL): URL | undefined {
  return URL.parse(text, base) ?? undefined;
}
