/** One page per API action, and the list of them, from the actions themselves. */
import type { AnyAction } from '../../src/api/action.ts';
import { UNSUPPORTED } from '../../src/api/unsupported.ts';
import { CATALOGUE } from '../../src/faults/catalogue.ts';
import { fieldRows } from './field-rows.ts';
import { code, json, table } from './markdown.ts';

type Named = readonly [string, AnyAction];

const SERVICES = {
  teo: 'EdgeOne (`teo`, version 2022-09-01)',
  tag: 'Tags (`tag`, version 2018-08-13)',
  edgefour: 'EdgeFour itself (version 2022-09-01)',
} as const;

export function apiIndex(actions: readonly Named[]): string {
  const sections = Object.entries(SERVICES).flatMap(([service, title]) => {
    const rows = actions
      .filter(([, action]) => (action.service ?? 'teo') === service)
      .map(([name, action]) => [`[${name}](${name}.md)`, action.access, action.summary]);
    return rows.length === 0 ? [] : ['', `## ${title}`, '', table(['Action', 'Access', 'What it does'], rows)];
  });
  const unsupported = UNSUPPORTED.flatMap(({ why, actions: names }) => [`- ${names.map(code).join(', ')}: ${why}`]);
  return [
    '# API reference',
    '',
    'Every call is a `POST /` (or `GET /`) signed like a call to the cloud. Answers are HTTP 200 with `Response`; a refused',
    'call has `Response.Error` with one of the [error codes](../errors.md).',
    ...sections,
    '',
    '## Actions of the SDK that EdgeFour does not have',
    '',
    'They are answered with `UnsupportedOperation` and the reason.',
    '',
    ...unsupported,
  ].join('\n');
}

function touched({ touches, request }: AnyAction): string {
  if (touches === 'account') return 'the account (`*`)';
  if (touches === 'world') return 'every zone of the account';
  if (touches === 'zone' || typeof touches === 'object') return 'the zone';
  return `${'ZoneId' in request ? 'the zone, or without one on ' : ''}each zone: those that are not allowed are left out`;
}

export function actionPage(name: string, action: AnyAction): string {
  const request = fieldRows(action.request);
  const response = fieldRows(action.response);
  const { title } = action.example;
  return [
    `# ${name}`,
    '',
    action.summary,
    '',
    `Service \`${action.service ?? 'teo'}\`, ${action.access} access. From the shell: \`edgefour api ${name} --help\`.`,
    '',
    `Policies are asked for \`${action.service ?? 'teo'}:${name}\` on ${touched(action)}.`,
    '',
    '## Request',
    '',
    request.length === 0
      ? 'No fields.'
      : table(
          ['Field', 'Type', 'Required', 'Meaning'],
          request.map((row) => [code(row.path), row.type, row.required ? 'yes' : 'no', row.meaning]),
        ),
    '',
    '## Response',
    '',
    table(
      ['Field', 'Type', 'Meaning'],
      [
        ...response.map((row) => [code(row.path), row.type, row.meaning]),
        ['`RequestId`', 'string', 'Names this call in the log.'],
      ],
    ),
    '',
    '## Errors',
    '',
    'Beside the [common codes](../errors.md#common-codes):',
    '',
    table(
      ['Code', 'Message'],
      [...action.errors].sort().map((fault) => [code(fault), CATALOGUE[fault].en]),
    ),
    '',
    '## Example',
    '',
    `${title}.`,
    '',
    json(action.example.request),
    '',
    json({ Response: { ...(action.example.response as object), RequestId: '3c140219-cfe9-470e-b241-907877d6fb03' } }),
  ].join('\n');
}
