/** The page a person sees at /console: what this is, where its doors are, and what to read. Plain HTML, no scripts. */
import type { RawReply } from '../../api/call.ts';

interface StartPageFacts {
  readonly version: string;
  readonly node: string;
  readonly api: string;
  readonly dns: string;
  readonly domain: string;
  readonly zoneId: string;
  readonly revision: number;
  readonly instances: number;
  readonly edges: readonly {
    readonly id: string;
    readonly site: string;
    readonly alive: boolean;
    readonly engines: string;
  }[];
}

export function startPage(facts: StartPageFacts): RawReply {
  const rows: [string, string][] = [
    ['API', `<code>POST ${escape(facts.api)}/</code>, signed (TC3-HMAC-SHA256 or v1), version <code>2022-09-01</code>`],
    ['Zone', `<code>${escape(facts.zoneId)}</code>`],
    ['DNS', facts.dns === '' ? 'off' : `<code>${escape(facts.dns)}</code> for <code>*.${escape(facts.domain)}</code>`],
    ['World', `revision ${facts.revision}, ${facts.instances} L4 proxy instances`],
    ['Edges', facts.edges.map(edgeLine).join('<br>') || 'none has joined yet'],
    ['Version', `EdgeFour ${escape(facts.version)} on Node ${escape(facts.node)}`],
    ['Look', '<a href="/metrics">/metrics</a>, <a href="/healthz">/healthz</a>, <a href="/readyz">/readyz</a>'],
    ['Command line', '<code>npx edgefour status</code>, <code>npx edgefour api --help</code>'],
    ['Read', 'README.md and docs/ of this checkout: tutorial, how-to pages, reference of every action and error'],
  ];
  const body = rows.map(([name, value]) => `<tr><th>${name}</th><td>${value}</td></tr>`).join('\n');
  return {
    status: 200,
    headers: {
      'Content-Type': 'text/html; charset=utf-8',
      'Cache-Control': 'no-store',
      'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
      'X-Content-Type-Options': 'nosniff',
    },
    body: PAGE.replace('{body}', () => body),
  };
}

function edgeLine({ id, site, alive, engines }: StartPageFacts['edges'][number]): string {
  return `<code>${escape(id)}</code> at site <code>${escape(site)}</code>: ${alive ? 'up' : 'down'}, ${escape(engines)}`;
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>EdgeFour</title>
<style>
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
  body { max-width: 46rem; margin: 3rem auto; padding: 0 1rem; }
  th { text-align: left; vertical-align: top; padding: 0.3rem 1.5rem 0.3rem 0; font-weight: 600; white-space: nowrap; }
  td { padding: 0.3rem 0; overflow-wrap: anywhere; }
</style>
<h1>EdgeFour</h1>
<p>A self-hosted Layer 4 edge proxy with the EdgeOne L4 API. What an official SDK, tccli or Terraform creates here
really forwards TCP and UDP.</p>
<table>
{body}
</table>
`;
