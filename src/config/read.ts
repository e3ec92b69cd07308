/**
 * Flags and environment become a Config: typed, validated, each value with its source. The only place that reads the
 * environment. A wrong value is a Usage: one line that names the setting and says what would do.
 */
import process from 'node:process';
import { type FlagTable, splitArguments } from './flags.ts';
import { type Preset, type Role, type Setting, SETTINGS, type SettingName } from './settings.ts';
import { Usage } from './usage.ts';
import { type Parser, Refused } from './values.ts';

type ValueOf<S> = S extends { readonly parse: Parser<infer T> } ? T : never;
type Certain = {
  [K in SettingName]: (typeof SETTINGS)[K] extends { readonly default: Preset } ? K : never;
}[SettingName];

/** Settings with a default always have a value; the others may be absent. */
export type Config = { readonly [K in Certain]: ValueOf<(typeof SETTINGS)[K]> } & {
  readonly [K in Exclude<SettingName, Certain>]: ValueOf<(typeof SETTINGS)[K]> | undefined;
};

type Source = 'flag' | 'environment' | 'default' | 'none';
interface Origin {
  readonly source: Source;
  /** The text it was read from; absent for `none`. */
  readonly text?: string;
}

interface Reading {
  readonly config: Config;
  readonly origins: ReadonlyMap<SettingName, Origin>;
  /** The rest: the command's own flags and its words. */
  readonly flags: ReadonlyMap<string, readonly string[]>;
  readonly words: readonly string[];
}

export type Environment = Readonly<Record<string, string | undefined>>;

const NAMES = Object.keys(SETTINGS) as SettingName[];

/** The flags that a command of these roles takes beside its own. */
export function settingFlags(roles: readonly Role[]): FlagTable {
  const taken = NAMES.map((name): Setting => SETTINGS[name]).filter((setting) => isFor(setting, roles));
  return Object.fromEntries(
    taken.flatMap(({ flag, value, bare, help, default: preset }) =>
      flag === undefined ? [] : [[flag, { value, bare, help: `${help}${presetText(preset)}` }]],
    ),
  );
}

function presetText(preset: Setting['default']): string {
  if (preset === undefined || preset === '') return '';
  const text = typeof preset === 'string' ? preset : `${preset.linux} on Linux, else ${preset.else}`;
  return ` Default ${text}`;
}

function isFor(setting: Setting, roles: readonly Role[]): boolean {
  return setting.for.some((role) => roles.includes(role));
}

/** `own` are the command's flags beside the settings of its roles. Throws Usage. */
export function readConfig(
  args: readonly string[],
  roles: readonly Role[],
  own: FlagTable = {},
  environment: Environment = process.env,
): Reading {
  const { flags, words } = splitArguments(args, { ...settingFlags(roles), ...own });
  const origins = new Map<SettingName, Origin>();
  const values: Partial<Record<SettingName, unknown>> = {};
  for (const name of NAMES) {
    const setting: Setting = SETTINGS[name];
    const given = flags.get(setting.flag ?? '');
    const origin = originOf(setting, given, environment);
    origins.set(name, origin);
    if (origin.text !== undefined) values[name] = parse(setting, origin);
  }
  const config = values as Config;
  if ((config.secretId === undefined) !== (config.secretKey === undefined))
    throw new Usage('EDGEFOUR_SECRET_ID and EDGEFOUR_SECRET_KEY belong together: set both or none.');
  return { config, origins, flags, words };
}

function originOf(setting: Setting, given: readonly string[] | undefined, environment: Environment): Origin {
  if (given && given.length > 1) throw new Usage(`--${setting.flag} was given ${given.length} times; give it once.`);
  if (given?.[0] !== undefined) return { source: 'flag', text: given[0] };
  const fromEnvironment = environment[setting.env];
  // An empty variable is how shells and compose files write "not set".
  if (fromEnvironment !== undefined && fromEnvironment !== '') return { source: 'environment', text: fromEnvironment };
  const preset = setting.default;
  if (preset === undefined) return { source: 'none' };
  if (typeof preset === 'string') return { source: 'default', text: preset };
  return { source: 'default', text: process.platform === 'linux' ? preset.linux : preset.else };
}

function parse(setting: Setting, origin: Origin): unknown {
  const text = origin.text ?? '';
  try {
    return setting.parse(text);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    const name = origin.source === 'flag' ? `--${setting.flag}` : setting.env;
    throw new Usage(setting.secret ? `${name} ${error.message}.` : `${name} "${text}" ${error.message}.`);
  }
}

/**
 * The environment a child of this program is started with: without the secrets that its role does not read. The edge
 * reads none, so none is in the process that strangers talk to. A secret has no flag.
 */
export function childEnvironment(role: Role, environment: Environment = process.env): Environment {
  const secrets = NAMES.map((name): Setting => SETTINGS[name]).filter((setting) => setting.flag === undefined);
  const kept = { ...environment };
  for (const setting of secrets) if (!isFor(setting, [role])) delete kept[setting.env];
  return kept;
}
