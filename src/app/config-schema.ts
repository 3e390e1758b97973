// Every setting of the process: name, type, unit, default and meaning, in one list.

export interface Setting {
  /** Key in the config file and of {@link Config}. */
  name: string
  /** Command line flag, without dashes. Environment: `KNODE_` and the flag in upper case with `_`. */
  flag: string
  type: 'string' | 'boolean' | 'integer'
  /** Allowed values of a string. */
  choices?: readonly string[]
  min?: number
  max?: number
  unit?: string
  default: string | number | boolean
  description: string
}

const portMax = 65_535

/** The settings, in the order `knode config explain` shows them. */
export const settings = [
  {
    name: 'dataDir',
    flag: 'data-dir',
    type: 'string',
    default: './.knode',
    description: 'Where resources, events, logs and the kubeconfig are kept.',
  },
  {
    name: 'memory',
    flag: 'memory',
    type: 'boolean',
    default: false,
    description: 'Keep nothing on disk but the kubeconfig: all is lost when the process ends.',
  },
  {
    name: 'host',
    flag: 'host',
    type: 'string',
    default: '127.0.0.1',
    description: 'Address of the gateway. The API stays on the loopback interface.',
  },
  {
    name: 'apiPort',
    flag: 'api-port',
    type: 'integer',
    min: 0,
    max: portMax,
    default: 7480,
    description: 'Port of the Kubernetes-style API; 0 takes a free one.',
  },
  {
    name: 'gatewayPort',
    flag: 'gateway-port',
    type: 'integer',
    min: 0,
    max: portMax,
    default: 7481,
    description: 'Port of the gateway, where events and requests for Services come in; 0 takes a free one.',
  },
  {
    name: 'logFormat',
    flag: 'log-format',
    type: 'string',
    choices: ['auto', 'pretty', 'json'],
    default: 'auto',
    description: 'Form of the log on standard error; auto is pretty on a terminal and JSON elsewhere.',
  },
  {
    name: 'logLevel',
    flag: 'log-level',
    type: 'string',
    choices: ['debug', 'info', 'warn', 'error'],
    default: 'info',
    description: 'Lowest level that is logged.',
  },
  {
    name: 'durability',
    flag: 'durability',
    type: 'string',
    choices: ['disk', 'process'],
    default: 'disk',
    description:
      'What an acknowledged event survives: disk survives power loss, process survives the end of this process.',
  },
  {
    name: 'graceMs',
    flag: 'grace-ms',
    type: 'integer',
    min: 0,
    unit: 'ms',
    default: 10_000,
    description: 'How long a stop waits for what was already taken.',
  },
  {
    name: 'eventBytesMax',
    flag: 'event-bytes-max',
    type: 'integer',
    min: 1024,
    unit: 'bytes',
    default: 1_048_576,
    description: 'Largest body of an event; larger ones are answered 413.',
  },
  {
    name: 'retentionMs',
    flag: 'retention-ms',
    type: 'integer',
    min: 0,
    unit: 'ms',
    default: 86_400_000,
    description: 'How long events stay after every consumer is done with them.',
  },
  {
    name: 'retentionBytes',
    flag: 'retention-bytes',
    type: 'integer',
    min: 0,
    unit: 'bytes',
    default: 1_073_741_824,
    description: 'How much of a stream stays after every consumer is done with it; with memory 16 MiB unless set.',
  },
  {
    name: 'streamBytesMax',
    flag: 'stream-bytes-max',
    type: 'integer',
    min: 1_048_576,
    unit: 'bytes',
    default: 4_294_967_296,
    description:
      'Hard limit of a stream: above it the ingress answers 503 until consumers move on; with memory 1 GiB unless set.',
  },
] as const satisfies Setting[]

type ValueOf<S extends Setting> = S extends { choices: readonly (infer C)[] }
  ? C
  : S extends { type: 'boolean' }
    ? boolean
    : S extends { type: 'integer' }
      ? number
      : string

/** The settings as `startKnode` takes them: complete and frozen. */
export type Config = Readonly<{
  [S in (typeof settings)[number] as S['name']]: ValueOf<S>
}>
