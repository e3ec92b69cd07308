/**
 * Every setting, once: its flag, its environment variable, its default, what it means and which commands read it.
 * `edgefour config`, `--help` and docs/reference/config.md are this table printed. Adding one: an entry here.
 */
import { entryAddresses } from './entry-addresses.ts';
import { ownNetworks } from './own-networks.ts';
import * as as from './values.ts';

export type Role = 'up' | 'control' | 'edge' | 'client';

export interface Setting<T = unknown> {
  /** Absent where only the environment may say it: a secret on a command line is visible to everybody. */
  readonly flag?: string;
  readonly env: string;
  readonly value: string;
  /** The flag's value where none is given. */
  readonly bare?: string;
  readonly parse: as.Parser<T>;
  /** As a person would write it; absent where there is none and the help says what happens then. */
  readonly default?: string | { readonly linux: string; readonly else: string };
  readonly help: string;
  readonly for: readonly Role[];
  /** Never printed. */
  readonly secret?: true;
}

export type Preset = NonNullable<Setting['default']>;
/** A setting that always has a value. */
const setting = <T>(definition: Setting<T> & { readonly default: Preset }) => definition;
/** A setting that may be absent. */
const optional = <T>(definition: Setting<T> & { readonly default?: never }) => definition;
const SERVER = ['up', 'control'] as const;
const DATA_PLANE = ['up', 'edge'] as const;
const BOTH = ['up', 'control', 'edge'] as const;
const ALL = ['up', 'control', 'edge', 'client'] as const;

export const SETTINGS = {
  listen: setting({
    flag: 'listen',
    env: 'EDGEFOUR_LISTEN',
    value: 'HOST:PORT',
    parse: as.hostPort,
    default: '127.0.0.1:7400',
    help: 'API, console, health and metrics.',
    for: SERVER,
  }),
  dns: setting({
    flag: 'dns',
    env: 'EDGEFOUR_DNS',
    value: 'HOST:PORT',
    parse: as.hostPortOrOff,
    default: '127.0.0.1:7453',
    help: 'Authoritative DNS for the CNAMEs of instances, UDP and TCP; `off` for none.',
    for: SERVER,
  }),
  data: setting({
    flag: 'data',
    env: 'EDGEFOUR_DATA',
    value: 'FOLDER',
    parse: as.text,
    default: './.edgefour',
    help: 'Everything that must last. Made with mode 0700.',
    for: ALL,
  }),
  addresses: setting({
    flag: 'addresses',
    env: 'EDGEFOUR_ADDRESSES',
    value: 'LIST',
    parse: entryAddresses(ownNetworks),
    default: { linux: '127.44.0.0/16', else: '127.0.0.1' },
    help: 'Entry addresses of the local edge: networks or single addresses, v4 and v6.',
    for: SERVER,
  }),
  engine: setting({
    flag: 'engine',
    env: 'EDGEFOUR_ENGINE',
    value: 'auto|node|uring|kernel',
    parse: as.choice('auto', 'node', 'uring', 'kernel'),
    default: 'auto',
    help: 'Data-plane engine; `auto` picks per rule by what the rule needs and the host allows.',
    for: DATA_PLANE,
  }),
  secretId: optional({
    env: 'EDGEFOUR_SECRET_ID',
    value: 'ID',
    parse: as.matching(/^[A-Za-z0-9_-]{1,128}$/, 'letters, digits, - and _ (at most 128)'),
    help: 'Id of the root key pair. Without it: made at first start and kept in the data folder.',
    for: ['up', 'control', 'client'],
  }),
  secretKey: optional({
    env: 'EDGEFOUR_SECRET_KEY',
    value: 'KEY',
    parse: as.matching(/^[!-~]{1,256}$/, 'printable ASCII without blanks (at most 256)'),
    help: 'Key of the root key pair. Set both or none.',
    for: ['up', 'control', 'client'],
    secret: true,
  }),
  zone: optional({
    flag: 'zone',
    env: 'EDGEFOUR_ZONE',
    value: 'ZONE_ID',
    parse: as.cloudIdOf('zone'),
    help: 'Id of the zone that exists from the start. Without it: made at first start.',
    for: ['up', 'control', 'client'],
  }),
  domain: setting({
    flag: 'domain',
    env: 'EDGEFOUR_DOMAIN',
    value: 'NAME',
    parse: as.domainName,
    default: 'edgefour.test',
    help: 'CNAMEs are <ProxyName>.<zone id without "zone-">.<domain>.',
    for: SERVER,
  }),
  rate: setting({
    flag: 'rate',
    env: 'EDGEFOUR_RATE',
    value: 'N',
    parse: as.wholeNumber(0, 1_000_000),
    default: '20',
    help: 'Requests per second, per key and action; 0 = no limit.',
    for: SERVER,
  }),
  metrics: optional({
    flag: 'metrics',
    env: 'EDGEFOUR_METRICS',
    value: 'open|off',
    parse: as.choice('open', 'off'),
    help: 'Whether /metrics answers everybody who reaches the API’s port. Without it: open where --listen is loopback, else off.',
    for: SERVER,
  }),
  readyFile: optional({
    flag: 'ready-file',
    env: 'EDGEFOUR_READY_FILE',
    value: 'FILE',
    parse: as.text,
    help: 'Written once everything listens: JSON {api, dns, console, secretId, secretKey, zoneId, pid}.',
    for: SERVER,
  }),
  records: setting({
    flag: 'records',
    env: 'EDGEFOUR_RECORDS',
    value: 'all|off|N',
    parse: as.records,
    default: 'all',
    help: 'Connection records: all, off, or one in N. A rule may say otherwise for itself.',
    for: DATA_PLANE,
  }),
  features: setting({
    flag: 'features',
    env: 'EDGEFOUR_FEATURES',
    value: 'LIST',
    parse: as.wordList,
    default: '',
    help: 'Account betas that are on, for example accelerate-mainland.',
    for: SERVER,
  }),
  originsDeny: setting({
    flag: 'origins-deny',
    env: 'EDGEFOUR_ORIGINS_DENY',
    value: 'LIST',
    parse: as.networks('private'),
    default: '169.254.0.0/16,fe80::/10,fd00:ec2::254',
    help: 'Networks that no origin may be in: refused by the API, and not dialled by an edge when a name resolves to them. `private` adds RFC 1918, loopback and ULA. An edge on a machine of its own needs it, too.',
    for: BOTH,
  }),
  unknownFields: setting({
    flag: 'unknown-fields',
    env: 'EDGEFOUR_UNKNOWN_FIELDS',
    value: 'refuse|ignore',
    parse: as.choice('refuse', 'ignore'),
    default: 'refuse',
    help: 'A request field no action knows: UnknownParameter as in the cloud, or ignore it and say so in the log.',
    for: SERVER,
  }),
  defaults: setting({
    flag: 'defaults',
    env: 'EDGEFOUR_DEFAULTS',
    value: 'shown|as-sent',
    parse: as.choice('shown', 'as-sent'),
    default: 'shown',
    help: "Answers carry defaults, as the cloud's model promises, or only what was sent. Terraform always gets what it sent.",
    for: SERVER,
  }),
  log: setting({
    flag: 'log',
    env: 'EDGEFOUR_LOG',
    value: 'LEVEL[,FORMAT]',
    parse: as.logSetting,
    default: 'info,auto',
    help: 'Level debug, info, warn or error; format json or text (auto: text on a terminal). On stderr.',
    for: BOTH,
  }),
  store: optional({
    flag: 'store',
    env: 'EDGEFOUR_STORE',
    value: 'URL',
    parse: as.matching(/^[a-z][a-z0-9+]*:/, 'the URL of a store such as sqlite:///var/lib/edgefour/world.sqlite'),
    help: 'Where the desired state lives. Without it: SQLite in the data folder.',
    for: SERVER,
  }),
  drain: setting({
    flag: 'drain',
    env: 'EDGEFOUR_DRAIN',
    value: 'SECONDS',
    parse: as.wholeNumber(0, 86_400),
    default: '30',
    help: 'How long connections may go on after SIGTERM.',
    for: DATA_PLANE,
  }),
  flush: setting({
    flag: 'flush',
    env: 'EDGEFOUR_FLUSH',
    value: 'on|off',
    parse: as.choice('off', 'on'),
    default: 'off',
    help: 'Rules in the kernel end with the edge; `off`: they go on forwarding without it.',
    for: DATA_PLANE,
  }),
  fastPath: setting({
    flag: 'fast-path',
    env: 'EDGEFOUR_FAST_PATH',
    value: 'on|off',
    parse: as.choice('on', 'off'),
    default: 'on',
    help: 'Packets of established connections of the kernel engine go past routing, conntrack and filters, where that can be had.',
    for: DATA_PLANE,
  }),
  sourcePorts: setting({
    flag: 'source-ports',
    env: 'EDGEFOUR_SOURCE_PORTS',
    value: 'LIST|off',
    parse: as.portSpans,
    default: '10240-32767,61000-65535',
    help: "Ports that relays dial origins from, less those in the system's own range; `off`: the system chooses.",
    for: DATA_PLANE,
  }),
  toaKinds: setting({
    flag: 'toa-kind',
    env: 'EDGEFOUR_TOA_KIND',
    value: 'V4[,V6]',
    parse: as.optionKinds,
    default: '254,253',
    help: 'Kind of the TCP option that TOA writes: for IPv4 and IPv6 clients, or one number for both.',
    for: DATA_PLANE,
  }),
  newWorld: setting({
    flag: 'new-world',
    env: 'EDGEFOUR_NEW_WORLD',
    value: 'on|off',
    bare: 'on',
    parse: as.choice('off', 'on'),
    default: 'off',
    help: 'Confirms that an edge with rules may take an empty world: its rules end.',
    for: BOTH,
  }),
  join: optional({
    flag: 'join',
    env: 'EDGEFOUR_JOIN',
    value: 'SOCKET|URL',
    parse: as.text,
    help: 'The control to follow. Without it: the socket in the data folder.',
    for: ['edge'],
  }),
  edge: setting({
    flag: 'edge',
    env: 'EDGEFOUR_EDGE',
    value: 'ID',
    parse: as.matching(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'lower-case letters, digits and - (at most 63)'),
    default: 'local',
    help: 'Id of this edge; unique among the edges of one control.',
    for: DATA_PLANE,
  }),
  site: setting({
    flag: 'site',
    env: 'EDGEFOUR_SITE',
    value: 'ID',
    parse: as.matching(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'lower-case letters, digits and - (at most 63)'),
    default: 'local',
    help: 'Id of the site whose entry addresses this edge holds.',
    for: BOTH,
  }),
  endpoint: optional({
    flag: 'endpoint',
    env: 'EDGEFOUR_ENDPOINT',
    value: 'URL',
    parse: as.endpoint,
    help: 'API to talk to. Without it: the one that runs on the data folder.',
    for: ['client'],
  }),
} as const;

export type SettingName = keyof typeof SETTINGS;
