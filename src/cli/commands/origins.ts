/** `edgefour origins`: the origins that rules lead to, with their states; and an operator's word about one of them. */
import { EdgeFourDescribeOrigins } from '../../api/actions/edgefour/EdgeFourDescribeOrigins.ts';
import { EdgeFourSetOriginState } from '../../api/actions/edgefour/EdgeFourSetOriginState.ts';
import { readConfig } from '../../config/read.ts';
import { Usage } from '../../config/usage.ts';
import { systemClock } from '../../lib/clock.ts';
import type { Infer } from '../../shape/shape.ts';
import type { Client } from '../client/api-client.ts';
import { type Origin, originsText } from '../client/origins-text.ts';
import { openSession } from '../client/session.ts';
import { secondsFrom, spanText } from '../client/times.ts';
import type { Command } from '../command.ts';
import { tell, write, writeJson } from '../output.ts';

/** What an operator may say of an origin → what is so from then on, `@` with the time. */
const WORDS = {
  drain: 'is out of use@: nothing new goes there while another origin of its rule is up',
  up: 'is in use@, whatever checks and traffic say',
  auto: 'is left to checks and traffic',
} as const;
type Word = keyof typeof WORDS;

const PAGE = 500;

export const command: Command = {
  summary: 'The origins that rules lead to: state, since when, by whom and why; drain one, hold it up.',
  usage: '[OriginGroupId | ADDRESS] | drain|up|auto ADDRESS …',
  roles: ['client'],
  flags: {
    for: { value: 'TIME', help: 'drain, up: how long, as 90s, 10m, 2h or 1d; else until it is set again.' },
    json: { help: 'For programs.' },
  },
  notes: [
    'edgefour origins drain ADDRESS [--for 30m]',
    'edgefour origins up ADDRESS [--for 30m]',
    'edgefour origins auto ADDRESS',
    'ADDRESS: as rules or origin groups name it, without a port; a domain name too.',
  ],
  async run(args) {
    const { config, flags, words } = readConfig(args, command.roles, command.flags);
    const [first, address] = words;
    const [word] = isWord(first) ? [first] : [];
    if (words.length > (word ? 2 : 1) || (word && address === undefined))
      throw new Usage(`It is: edgefour origins ${command.usage}`);
    const { client, zoneId } = openSession(config);
    const seconds = secondsFrom(flags.get('for')?.at(-1));
    if (seconds !== undefined && (word === undefined || word === 'auto'))
      throw new Usage('--for is for `drain` and `up`: what is left to checks and traffic has no end.');
    if (word && address !== undefined) {
      await set(client, { ZoneId: zoneId, Origin: address, State: word, ...(seconds && { Seconds: seconds }) });
      return 0;
    }
    const only = first === undefined ? {} : first.startsWith('og-') ? { OriginGroupId: first } : { Origin: first };
    const origins = await readOrigins(client, { ZoneId: config.zone, ...only });
    if (flags.has('json')) writeJson({ TotalCount: origins.length, Origins: origins });
    else write(originsText(origins, systemClock.now()));
    return 0;
  },
};

function isWord(word: string | undefined): word is Word {
  return word !== undefined && Object.hasOwn(WORDS, word);
}

type Wanted = { readonly [Field in keyof Infer<typeof EdgeFourDescribeOrigins.request>]: string | number | undefined };

async function readOrigins(client: Client, wanted: Wanted): Promise<Origin[]> {
  const origins: Origin[] = [];
  for (;;) {
    const { TotalCount, Origins } = await client.call<Infer<typeof EdgeFourDescribeOrigins.response>>(
      'EdgeFourDescribeOrigins',
      { ...wanted, Offset: origins.length, Limit: PAGE },
      EdgeFourDescribeOrigins.service,
    );
    origins.push(...Origins);
    if (Origins.length === 0 || origins.length >= TotalCount) return origins;
  }
}

async function set(client: Client, fields: Infer<typeof EdgeFourSetOriginState.request>): Promise<void> {
  const { ZoneId, Origin, State, Seconds } = fields;
  await client.call('EdgeFourSetOriginState', fields, EdgeFourSetOriginState.service);
  const time = Seconds === undefined ? '' : ` for ${spanText(Seconds * 1_000)}`;
  write(`${Origin} ${WORDS[State].replace('@', time)}.`);
  const found = await readOrigins(client, { ZoneId, Origin });
  if (found.length === 0) tell(`No edge has told of an origin ${Origin} in zone ${ZoneId} yet.`);
}
