/** The measurements, and the project's promises about them: the rows of the table. */

export interface Measurement {
  readonly name: string;
  /** Arguments of the load program; `port` is the proxy's. */
  readonly load: readonly string[];
  readonly port: number;
  readonly udp?: boolean;
}

/** By itself, in fresh processes, while the proxy's memory is what it starts with. */
export const IDLE: Measurement = { name: 'idle', load: ['idle', 'count=5000', 'time=0.2'], port: 7000 };

export const MEASUREMENTS: readonly Measurement[] = [
  { name: 'connects', load: ['connects', 'count=64', 'size=64'], port: 7000 },
  { name: 'rr 64 B', load: ['rr', 'count=64', 'size=64'], port: 7000 },
  { name: 'rr 1 KiB', load: ['rr', 'count=64', 'size=1024'], port: 7000 },
  { name: 'rr at 5,000/s', load: ['rr', 'count=64', 'size=64', 'rate=5000'], port: 7000 },
  { name: 'down, 1 stream', load: ['down', 'count=1'], port: 7001 },
  { name: 'down, 8 streams', load: ['down', 'count=8'], port: 7001 },
  { name: 'up, 1 stream', load: ['up', 'count=1'], port: 7002 },
  { name: 'up, 8 streams', load: ['up', 'count=8'], port: 7002 },
  { name: 'udp 64 B', load: ['udp', 'flows=64', 'count=8', 'size=64'], port: 7100, udp: true },
  { name: 'udp 1,200 B', load: ['udp', 'flows=64', 'count=8', 'size=1200'], port: 7100, udp: true },
  { name: 'udp bursts', load: ['bursts', 'flows=16'], port: 7101, udp: true },
  { name: 'udp at 100,000/s', load: ['udp', 'flows=64', 'size=64', 'rate=100000'], port: 7100, udp: true },
];

/** A promise about one of the project's candidates in one row. */
export interface Promised {
  /** At most this share of a peer: `of`, or the better one of all. */
  readonly share?: number;
  readonly of?: string;
  /** At most this much; beside a share, either is enough. */
  readonly most?: number;
}

/** By the candidate's name. */
type Promises = Readonly<Record<string, readonly Promised[]>>;

/** A figure of a measurement's line: lower is better in all of them. */
export interface Figure {
  readonly measurement: string;
  readonly field: string;
  readonly unit: string;
  /** Less the same figure without a proxy: the cost of the proxy to all machines. */
  readonly added?: true;
  readonly promises?: Promises;
}

const uring = (...promised: Promised[]): Promises => ({ 'edgefour uring': promised });
const kernel = (share: number, recorded = share, most?: number): Promises => ({
  'edgefour kernel': [{ share, ...(most === undefined ? {} : { most }) }],
  'edgefour kernel, all records': [{ share: recorded, ...(most === undefined ? {} : { most }) }],
});

const perGB = (measurement: string): Figure[] => [
  {
    measurement,
    field: 'proxyPerGB',
    unit: 'proxy CPU-s/GB',
    promises: uring({ share: 1 }, { share: 0.15, of: 'nginx 16k' }),
  },
  { measurement, field: 'totalPerGB', unit: 'added CPU-s/GB', added: true, promises: kernel(0.2, 0.2, 0.03) },
];

export const FIGURES: readonly Figure[] = [
  { measurement: 'connects', field: 'proxyMicros', unit: 'proxy µs', promises: uring({ share: 0.7 }) },
  {
    measurement: 'connects',
    field: 'totalMicros',
    unit: 'added µs',
    added: true,
    promises: { ...uring({ share: 0.75 }), ...kernel(0.2, 0.35) },
  },
  { measurement: 'rr 64 B', field: 'proxyMicros', unit: 'proxy µs', promises: uring({ share: 0.8 }) },
  { measurement: 'rr 64 B', field: 'totalMicros', unit: 'added µs', added: true, promises: kernel(0.1) },
  { measurement: 'rr 1 KiB', field: 'proxyMicros', unit: 'proxy µs', promises: uring({ share: 0.8 }) },
  { measurement: 'rr 1 KiB', field: 'totalMicros', unit: 'added µs', added: true, promises: kernel(0.1) },
  { measurement: 'rr at 5,000/s', field: 'p50', unit: 'p50 µs' },
  { measurement: 'rr at 5,000/s', field: 'p99', unit: 'p99 µs', promises: uring({ share: 1 }) },
  ...perGB('down, 1 stream'),
  ...perGB('down, 8 streams'),
  ...perGB('up, 1 stream'),
  ...perGB('up, 8 streams'),
  { measurement: 'udp 64 B', field: 'proxyMicros', unit: 'proxy µs', promises: uring({ share: 0.35 }) },
  { measurement: 'udp 64 B', field: 'totalMicros', unit: 'added µs', added: true, promises: kernel(0.15) },
  { measurement: 'udp 1,200 B', field: 'proxyMicros', unit: 'proxy µs', promises: uring({ share: 0.35 }) },
  { measurement: 'udp 1,200 B', field: 'totalMicros', unit: 'added µs', added: true, promises: kernel(0.15) },
  { measurement: 'udp bursts', field: 'proxyPerGB', unit: 'proxy CPU-s/GB', promises: uring({ share: 0.35 }) },
  { measurement: 'udp bursts', field: 'totalPerGB', unit: 'added CPU-s/GB', added: true },
  { measurement: 'udp at 100,000/s', field: 'lost', unit: 'lost share', promises: uring({ most: 0.001 }) },
  { measurement: 'idle', field: 'bytesPerConnection', unit: 'bytes', promises: uring({ most: 307 }) },
];
