/** The pages that are one list each: error codes, metrics, settings, budgets. */
import type { AnyAction } from '../../src/api/action.ts';
import { type Budget, budgetCounter, BUDGETS } from '../../src/config/budgets.ts';
import { SETTINGS, type Setting } from '../../src/config/settings.ts';
import { CATALOGUE, type CatalogueEntry } from '../../src/faults/catalogue.ts';
import { FACT_METRICS } from '../../src/facts/metrics.ts';
import { METRICS } from '../../src/observe/names.ts';
import { code, table } from './markdown.ts';

export function errorsPage(actions: readonly (readonly [string, AnyAction])[]): string {
  const codes = Object.entries<CatalogueEntry>(CATALOGUE).sort(([a], [b]) => (a < b ? -1 : 1));
  const common = codes.filter(([, entry]) => entry.common);
  const others = codes.filter(([, entry]) => !entry.common);
  const declaring = (wanted: string): string[] =>
    actions.filter(([, { errors }]) => errors.some((declared) => declared === wanted)).map(([name]) => name);
  return [
    '# Error codes',
    '',
    'A refused call is HTTP 200 with `Response.Error.Code` and `Response.Error.Message`. Messages are English, or Chinese',
    'with `X-TC-Language: zh-CN`. What exactly was refused is in the log, under the RequestId of the call. Any code can be',
    'provoked on demand: `edgefour fault add`.',
    '',
    '## Common codes',
    '',
    'Any action can answer with these.',
    '',
    table(
      ['Code', 'Message'],
      common.map(([name, entry]) => [code(name), (entry.named ?? entry).en]),
    ),
    '',
    '## Codes of single actions',
    '',
    'Where no action is named, EdgeFour has no cause for the code of its own; the cloud has, and it can be provoked.',
    '',
    table(
      ['Code', 'Message', 'Actions'],
      others.map(([name, entry]) => [
        code(name),
        (entry.named ?? entry).en,
        declaring(name)
          .map((action) => `[${action}](api/${action}.md)`)
          .join(', '),
      ]),
    ),
  ].join('\n');
}

export function metricsPage(): string {
  return [
    '# Metrics',
    '',
    '`GET /metrics` on the API address, Prometheus text format.',
    '',
    table(
      ['Metric', 'Kind', 'Labels', 'Meaning'],
      Object.entries({ ...METRICS, ...FACT_METRICS })
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, { kind, labels, help }]) => [
          code(name),
          kind,
          labels.map((label) => code(label)).join(', '),
          help,
        ]),
    ),
  ].join('\n');
}

export function budgetsPage(): string {
  return [
    '# Budgets',
    '',
    'Everything that a stranger can make grow has a most, and a counter of what was refused beyond it. `edgefour doctor`',
    'prints the same. A budget that is hit without an attack is worth a report.',
    '',
    table(
      ['Budget', 'Most', 'What it bounds, and what happens beyond it', 'Counted in'],
      Object.entries<Budget>(BUDGETS).map(([name, budget]) => [
        code(name),
        `${budget.most.toLocaleString('en-US')} ${budget.unit}`,
        budget.help,
        code(budgetCounter(name, budget)),
      ]),
    ),
  ].join('\n');
}

export function configPage(): string {
  const settings: readonly Setting[] = Object.values(SETTINGS);
  return [
    '# Settings',
    '',
    'A flag wins over the environment, the environment over the default. `edgefour config` prints the values in force and',
    'where each came from.',
    '',
    table(
      ['Flag', 'Environment', 'Value', 'Default', 'Meaning', 'Read by'],
      settings.map((setting) => [
        setting.flag === undefined ? '' : code(`--${setting.flag}`),
        code(setting.env),
        code(setting.value),
        presetOf(setting),
        setting.help,
        setting.for.join(', '),
      ]),
    ),
  ].join('\n');
}

function presetOf({ default: preset }: Setting): string {
  if (preset === undefined) return 'none';
  if (typeof preset !== 'string') return `${code(preset.linux)} on Linux, else ${code(preset.else)}`;
  return preset === '' ? 'empty' : code(preset);
}
