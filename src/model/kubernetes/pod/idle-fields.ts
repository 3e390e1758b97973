// Fields of a Pod's spec that are kept as they are written and of which nothing comes: whoever sets one is warned.
// What nearly every manifest carries and nobody misses stays quiet: requests, pull policies, most security options.
import { fieldError } from '../field-error.ts'
import type { FieldError } from '../field-error.ts'
import { nodeName, podAnnotations } from './pod.ts'

interface IdleFields {
  /** Below the spec; `[]` goes through a list, `containers[]` also through the init containers. */
  fields: readonly string[]
  /** Values that ask for nothing else than what is so anyway, beside those that are empty or false. @default none */
  unless?: (value: unknown) => boolean
  /** Programs that differ, where not all are alike. */
  only?: 'process' | 'container'
  /** @default 'no effect in Knode' */
  message?: string
  /** Why, or what to do instead. */
  why: string
}

const noNodes = 'Knode runs everything on its own machine and schedules nothing'
const noDevices = 'Knode has none to give'
const notSupported = 'not supported by Knode'
const neverStarts = 'a container that needs it waits in CreateContainerConfigError'

const idleFields: readonly IdleFields[] = [
  {
    fields: ['affinity', 'schedulingGates', 'tolerations', 'topologySpreadConstraints'],
    why: noNodes,
  },
  {
    fields: ['nodeSelector'],
    unless: (value) => Object.keys(value as object).every((label) => label === 'kubernetes.io/os'),
    why: noNodes,
  },
  { fields: ['nodeName'], unless: (value) => value === nodeName, why: noNodes },
  { fields: ['schedulerName'], unless: (value) => value === 'default-scheduler', why: noNodes },
  { fields: ['priorityClassName'], why: 'Knode ends no Pod to make room for another' },
  { fields: ['priority'], unless: (value) => value === 0, why: 'Knode ends no Pod to make room for another' },
  {
    fields: ['runtimeClassName', 'overhead'],
    why: 'a container engine runs containers by the runtime it is configured with, and processes have none',
  },
  {
    fields: ['hostIPC', 'hostNetwork', 'hostPID', 'shareProcessNamespace'],
    only: 'container',
    why: "containers have what their engine gives them; a process of knode.dev/command shares the machine's",
  },
  {
    fields: ['hostAliases'],
    only: 'process',
    why: 'only containers have names of their own, a process has those of the machine',
  },
  {
    fields: ['hostname', 'setHostnameAsFQDN', 'subdomain'],
    why: 'Pods have no names of their own: reach them by a Service',
  },
  { fields: ['dnsConfig'], why: 'names resolve as they do on this machine' },
  {
    fields: ['dnsPolicy'],
    unless: (value) => value === 'ClusterFirst' || value === 'Default',
    why: 'names resolve as they do on this machine',
  },
  { fields: ['readinessGates'], why: 'a Pod is ready when its containers are' },
  { fields: ['ephemeralContainers'], why: 'nothing is added to a Pod that runs' },
  { fields: ['resourceClaims', 'containers[].resources.claims', 'containers[].volumeDevices'], why: noDevices },
  { fields: ['resources'], why: 'set the limits of each container' },
  { fields: ['securityContext.sysctls'], why: "programs run with the kernel's parameters as they are" },
  {
    fields: ['containers[].lifecycle.postStart', 'containers[].lifecycle.preStop'],
    unless: isOnlyAWait,
    why: 'Knode runs no hooks: requests in flight are finished without them',
  },
  {
    fields: ['containers[].lifecycle.stopSignal'],
    why: 'programs are asked to end by SIGTERM, or what their image says',
  },
  { fields: ['containers[].stdin', 'containers[].tty'], why: 'programs get neither input nor a terminal' },
  {
    fields: ['containers[].ports[].hostIP', 'containers[].ports[].hostPort'],
    why: 'Knode opens no ports for Pods: its gateway leads to their Services',
  },
  {
    fields: ['containers[].securityContext.privileged'],
    why: 'containers get no privileges of the machine, and a process has those of whoever started Knode',
  },
  {
    fields: ['containers[].volumeMounts[].mountPropagation'],
    unless: (value) => value === 'None',
    why: 'what is mounted later stays where it was mounted',
  },
  { fields: ['containers[].restartPolicyRules'], why: "a container restarts as its Pod's restartPolicy says" },
  {
    fields: ['csi', 'ephemeral', 'image', 'iscsi', 'nfs', 'persistentVolumeClaim'].map((type) => `volumes[].${type}`),
    message: notSupported,
    why: `${neverStarts}; use emptyDir or hostPath`,
  },
  {
    fields: ['containers[].env[].valueFrom.fileKeyRef'],
    message: notSupported,
    why: neverStarts,
  },
]

type Fields = Readonly<Record<string, unknown>>

/**
 * Warnings about a Pod's spec, or a Revision's, which has the same fields. Paths start at the spec.
 * @param annotations those of the Pod, which say how it runs
 */
export function idleFieldWarnings(spec: object = {}, annotations: Readonly<Record<string, string>> = {}): FieldError[] {
  const runs = isProcess(annotations) ? 'process' : 'container'
  return idleFields.flatMap(({ fields, unless, only = runs, message = 'no effect in Knode', why }) => {
    if (only !== runs) return []
    const paths = fields
      .flatMap((field) => (field.startsWith('containers[]') ? [field, field.replace('c', 'initC')] : [field]))
      .flatMap((field) => valuesAt(spec as Fields, field))
      .filter(({ value }) => isSet(value) && unless?.(value) !== true)
      .map(({ path }) => path)
    return paths.length === 0 ? [] : [{ ...fieldError(message, paths, `(${why})`), level: 'warning' }]
  })
}

const isProcess = (annotations: Readonly<Record<string, string>>): boolean =>
  annotations[podAnnotations.command] !== undefined || annotations[podAnnotations.functionFile] !== undefined

/** What `a.b[].c` leads to, with real paths. */
function valuesAt(start: Fields, path: string): { path: string; value: unknown }[] {
  return path.split('.').reduce<{ path: string; value: unknown }[]>(
    (found, step) =>
      found.flatMap(({ path: before, value }) => {
        const name = step.replace('[]', '')
        const here = before === '' ? name : `${before}.${name}`
        const next = (value as Fields | null | undefined)?.[name]
        if (!step.endsWith('[]')) return [{ path: here, value: next }]
        return Array.isArray(next) ? next.map((each, index) => ({ path: `${here}[${index}]`, value: each })) : []
      }),
    [{ path: '', value: start }],
  )
}

/** Whether it is a wait that only makes time for what Knode does anyway: nothing is lost without it. */
function isOnlyAWait(value: unknown): boolean {
  const { sleep, exec } = value as { sleep?: unknown; exec?: { command?: string[] } }
  return sleep !== undefined || /^(\S*sh -c )?\S*sleep [\d.]+s?$/.test(exec?.command?.join(' ') ?? '')
}

function isSet(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === false) return false
  return typeof value !== 'object' || Object.keys(value).length > 0
}
