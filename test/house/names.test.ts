/** The lists of the product agree with each other: metrics, error codes, actions, settings. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ACTIONS } from '../../src/api/actions/index.ts';
import type { AnyAction } from '../../src/api/action.ts';
import { whyUnsupported } from '../../src/api/unsupported.ts';
import { SETTINGS } from '../../src/config/settings.ts';
import { CATALOGUE, type CatalogueEntry } from '../../src/faults/catalogue.ts';
import { METRICS } from '../../src/observe/names.ts';
import { holds } from './holds.ts';
import { files, product, ROOT, sources } from './tree.ts';

const actions: readonly [string, AnyAction][] = Object.entries(ACTIONS);
const tests = sources().filter(({ isTest, path }) => isTest && !path.startsWith('test/house/'));

const quoted = (text: string, name: string): boolean => text.includes(`'${name}'`) || text.includes(`"${name}"`);

test('every metric that the program counts itself is counted somewhere', () => {
  const users = product().filter(({ path }) => path !== 'src/observe/names.ts');
  const silent = Object.keys(METRICS).filter((name) => !users.some(({ code }) => quoted(code, name)));
  holds(silent.map((name) => `${name}: count it, or take its row out of src/observe/names.ts`));
});

test('every code that an action declares is provoked by a test of that action', () => {
  const unproven = actions.flatMap(([name, { errors }]) =>
    errors
      .filter((code) => !tests.some(({ text }) => text.includes(name) && quoted(text, code)))
      .map((code) => `${name} declares ${code}: provoke it in a test that names both, or don't declare it`),
  );
  holds(unproven);
});

test('every code that the pipeline raises is provoked by a test', () => {
  const raised = Object.entries<CatalogueEntry>(CATALOGUE)
    .filter(([, { common }]) => common)
    .map(([code]) => code)
    .filter((code) =>
      product().some(({ path, code: text }) => path !== 'src/faults/catalogue.ts' && quoted(text, code)),
    );
  const unproven = raised.filter((code) => !tests.some(({ text }) => quoted(text, code)));
  holds(unproven.map((code) => `${code} can be answered: provoke it in a test`));
});

test('every action is a file of its own name, and its own line in the list', () => {
  const wanted = actions.filter(([name]) => !files().some(({ path }) => actionFile(path) === name));
  holds(wanted.map(([name]) => `${name}: put it into src/api/actions/<entity>/${name}.ts`));
  const listed = files().flatMap(({ path }) => {
    const name = actionFile(path);
    return name === undefined || Object.hasOwn(ACTIONS, name)
      ? []
      : [`${path}: add ${name} to src/api/actions/index.ts`];
  });
  holds(listed);
});

function actionFile(path: string): string | undefined {
  return /^src\/api\/actions\/[a-z0-9-]+\/([A-Z]\w+)\.ts$/.exec(path)?.[1];
}

test('every action has the name of a method of the official SDK, or of an extension', () => {
  const folder = 'node_modules/tencentcloud-sdk-nodejs-teo/tencentcloud/services/teo/v20220901';
  const client = readFileSync(join(ROOT, folder, 'teo_client.d.ts'), 'utf8');
  const methods = new Set([...client.matchAll(/^ {4}(\w+)\(req/gm)].map((match) => match[1]));
  const odd = actions.flatMap(([name, { service = 'teo' }]) => {
    if (service === 'teo' && !methods.has(name)) return [`${name}: the SDK has no such method`];
    if (service === 'edgefour' && !name.startsWith('EdgeFour')) return [`${name}: an extension is called EdgeFour…`];
    return [];
  });
  holds(odd);
  const both = actions.filter(([name]) => whyUnsupported(name) !== undefined);
  holds(both.map(([name]) => `${name} exists: take it out of src/api/unsupported.ts`));
});

test('documents name only settings that exist', () => {
  const known = new Set(Object.values(SETTINGS).map(({ env }) => env));
  const unknown = files()
    .filter(({ path }) => /\.(md|js|sh|py|service|yml|yaml)$/.test(path))
    .flatMap(({ path, text }) =>
      [...text.matchAll(/\bEDGEFOUR_[A-Z_]+\b/g)]
        .filter(([name]) => !known.has(name) && name !== 'EDGEFOUR_API')
        .map(([name]) => `${path} speaks of ${name}: src/config/settings.ts has no such setting`),
    );
  holds(unknown);
});
