/** The cloud's OriginGroup and its OriginRecord, which callers write and are shown. */
import { MOST_RECORDS } from '../../domain/origin-group/change.ts';
import type { RecordDraft } from '../../domain/origin-group/check.ts';
import {
  GROUP_TYPES,
  type OriginGroup,
  type OriginSecrets,
  PRIVATE_NAMES,
  RECORD_TYPES,
} from '../../domain/origin-group/origin-group.ts';
import type { Zone } from '../../domain/zone/zone.ts';
import { boolean, type Infer, integer, list, nullable, object, oneOf, optional, string } from '../../shape/shape.ts';
import { timeText } from '../../shape/time.ts';
import { REFERENCES, type Referrer, showReference } from './OriginGroupReference.ts';

/** limit: spec section 7.1. wire: "" is no name; clients send it for absent. */
export const GROUP_NAME = string('Name: 1 to 200 of a-z, A-Z, 0-9, _ and -.', { pattern: /^[\w-]{0,200}$/ });

export const GROUP_TYPE = oneOf(GROUP_TYPES, 'GENERAL: for L4 rules and load balancers. HTTP: not for Layer 4.', {
  fault: 'InvalidParameter.InvalidOriginGroupType',
});

export const HOST_HEADER = string('Host header towards the origins, in groups of type HTTP; nothing uses it here.');

const PRIVATE_PARAMETER = object(
  {
    Name: oneOf(PRIVATE_NAMES, 'Name.', { fault: 'InvalidParameter.OriginThirdPartyParamFormatError' }),
    Value: string('Value.', { max: 1024 }),
  },
  'A parameter.',
);

const RECORD = string('IPv4 address, IPv6 address or domain name, without a port.');
const PARAMETERS = list(PRIVATE_PARAMETER, 'Credentials of private object storage.', {
  max: PRIVATE_NAMES.length,
  fault: 'InvalidParameter.OriginThirdPartyParamFormatError',
});
const WEIGHT = integer('Share of new connections, 0 to 100. None at all, or 0 for every record: equal shares.', {
  min: 0,
  max: 100,
  fault: 'InvalidParameter.OriginRecordWeightValue',
});

const SENT_RECORD = object(
  {
    Record: RECORD,
    Type: optional(oneOf(RECORD_TYPES, 'Kind of origin; default IP_DOMAIN.', { emptyIsAbsent: true })),
    RecordId: optional(string('Record ID; a record of the group that is named so keeps it.')),
    Weight: optional(WEIGHT),
    Private: optional(boolean('Whether the object storage wants credentials; default false.')),
    PrivateParameters: optional(PARAMETERS),
  },
  'An origin.',
);

export const SENT_RECORDS = list(SENT_RECORD, 'The origins, each host once.', {
  min: 1,
  max: MOST_RECORDS,
  fault: 'InvalidParameter.OriginRecordFormatError',
});

const SHOWN_RECORD = object(
  {
    Record: RECORD,
    Type: oneOf(RECORD_TYPES, 'Kind of origin.'),
    RecordId: string('Record ID.'),
    Weight: nullable(WEIGHT),
    Private: boolean('Whether the object storage wants credentials.'),
    PrivateParameters: PARAMETERS,
  },
  'An origin.',
);

export const ORIGIN_GROUP = object(
  {
    GroupId: string('Origin group ID.'),
    Name: string('Name; empty where none was given.'),
    Type: GROUP_TYPE,
    Records: list(SHOWN_RECORD, 'The origins.'),
    References: REFERENCES,
    CreateTime: string('When it was created.', { format: 'time' }),
    UpdateTime: string('When it last changed.', { format: 'time' }),
    HostHeader: HOST_HEADER,
  },
  'An origin group.',
);

/** wire: Terraform sends "" and 0 for what its user left out. Both are absent, but 0 beside another weight is a weight. */
export function readRecords(records: Infer<{ list: typeof SENT_RECORDS }>['list']): RecordDraft[] {
  return records.map(({ Record, Type = 'IP_DOMAIN', RecordId, Weight, Private, PrivateParameters }) => ({
    ...(RecordId && { id: RecordId }),
    host: Record,
    type: Type,
    ...(Weight !== undefined && { weight: Weight }),
    ...(Private && Type !== 'IP_DOMAIN' && { private: true }),
    ...(PrivateParameters && {
      parameters: PrivateParameters.map(({ Name, Value }) => ({ name: Name, value: Value })),
    }),
  }));
}

export function showGroup(
  group: OriginGroup,
  { parameters }: OriginSecrets,
  referrers: readonly Referrer[],
  zone: Zone,
): Infer<typeof ORIGIN_GROUP.fields> {
  return {
    GroupId: group.id,
    Name: group.name,
    Type: group.type,
    Records: group.records.map((record) => ({
      Record: record.host,
      Type: record.type,
      RecordId: record.id,
      Weight: record.weight ?? null,
      Private: record.private === true,
      PrivateParameters: (parameters[record.id] ?? []).map(({ name, value }) => ({ Name: name, Value: value })),
    })),
    References: referrers.map((referrer) => showReference(referrer, zone)),
    CreateTime: timeText(group.createdAt),
    UpdateTime: timeText(group.updatedAt),
    HostHeader: group.hostHeader,
  };
}
