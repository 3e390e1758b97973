// What the smaller of Serving's ConfigMaps may say. Source: knative/serving pkg/gc/config.go, pkg/deployment/config.go,
// pkg/observability/config.go, pkg/reconciler/route/config/domain.go; knative/pkg leaderelection/config.go,
// observability/.
import { messageOf } from '../../../base/errors.ts'
import { goDuration, parseGoDuration } from '../../kubernetes/go-duration.ts'
import { parseTemplate } from '../../kubernetes/go-template.ts'
import { parseYaml } from '../../kubernetes/yaml.ts'
import { requestLogKeys } from '../request-log.ts'
import type { ConfigData } from '../serving-config.ts'
import { ConfigValues } from './values.ts'

/** @throws {Error} in upstream's words, as all others here */
export function checkGcConfig(data: ConfigData): void {
  const values = new ConfigValues(data)
  for (const key of ['retain-since-create-time', 'retain-since-last-active-time']) {
    const text = values.text(key)
    if (text === '' || isDisabled(text)) continue
    const ms = parseGoDuration(text)
    if (ms === undefined) throw new Error(`failed to parse ${key}: time: invalid duration ${JSON.stringify(text)}`)
    if (ms < 0) throw new Error(`failed to parse ${key}: must be non-negative`)
  }
  const least = values.int64('min-non-active-revisions', 20)
  const text = values.text('max-non-active-revisions')
  if (text !== '' && !isDisabled(text) && !/^\d+$/.test(text)) {
    const why = `strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`
    throw new Error(`failed to parse max-non-active-revisions: ${why}`)
  }
  if (least < 0) throw new Error(`min-non-active-revisions must be non-negative, was: ${least}`)
  const most = text === '' ? 1_000 : Number(text)
  if (!isDisabled(text) && least > most) {
    throw new Error(`min-non-active-revisions(${least}) must be <= max-non-active-revisions(${most})`)
  }
}

const isDisabled = (text: string): boolean => text.toLowerCase() === 'disabled'

/** Upstream's image of the queue-proxy may be absent: Knode has none. */
export function checkDeploymentConfig(data: ConfigData): void {
  const values = new ConfigValues(data)
  for (const resource of ['cpu', 'memory', 'ephemeral-storage']) {
    for (const bound of ['request', 'limit']) values.quantity(`queue-sidecar-${resource}-${bound}`)
  }
  values.bool('pod-is-always-schedulable', false)
  const deadlineMs = values.durationMs('progress-deadline', values.durationMs('progressDeadline', 600_000))
  const shown = goDuration(deadlineMs)
  if (deadlineMs <= 0) throw new Error(`progress-deadline cannot be a non-positive duration, was ${shown}`)
  if (deadlineMs % 1_000 !== 0) throw new Error(`progress-deadline must be rounded to a whole second, was: ${shown}`)
  const timeoutMs = values.durationMs('digest-resolution-timeout', 10_000)
  if (timeoutMs <= 0) {
    throw new Error(`digest-resolution-timeout cannot be a non-positive duration, was ${goDuration(timeoutMs)}`)
  }
  const affinity = data['default-affinity-type'] ?? 'none'
  if (!['none', 'prefer-spread-revision-over-nodes'].includes(affinity)) {
    throw new Error(`unsupported default-affinity-type value: ${JSON.stringify(affinity)}`)
  }
}

export function checkDomainConfig(data: ConfigData): void {
  for (const [domain, text] of Object.entries(data)) {
    if (domain === '_example' || text.trim() === '') continue
    const [document] = parseYaml(text)
    const { selector = {} } = (document?.value ?? {}) as { selector?: unknown }
    const isMap = typeof selector === 'object' && selector !== null && !Array.isArray(selector)
    if (!isMap || Object.values(selector).some((value) => typeof value === 'object')) {
      throw new Error(`error unmarshaling JSON: domain ${domain}: selector must be a map of strings`)
    }
  }
}

export function checkObservabilityConfig(data: ConfigData): void {
  checkExports(data, ['', 'request-'])
  const values = new ConfigValues(data)
  values.bool('logging.enable-var-log-collection', false)
  const { enabled, template: key, probes } = requestLogKeys
  values.bool(probes, false)
  const template = data[key]?.trim()
  if (values.bool(enabled, false) && template === '') {
    throw new Error(`"${enabled}" was set to true, but no "${key}" was specified`)
  }
  if (template !== undefined) parseTemplate('requestLog', template)
}

/** Eventing's ConfigMap of that name. Source: knative/eventing pkg/observability/config.go. */
export function checkEventingObservabilityConfig(data: ConfigData): void {
  checkExports(data, [''])
  new ConfigValues(data).bool('sink-event-error-reporting.enable', false)
}

/** What both have: knative/pkg observability/config.go. */
function checkExports(data: ConfigData, prefixes: readonly string[]): void {
  const values = new ConfigValues(data)
  for (const prefix of prefixes) {
    const key = `${prefix}metrics`
    checkEndpoint(values, key, 'http/protobuf grpc prometheus none', (protocol) => `when protocol is "${protocol}"`)
    if (values.durationMs(`${key}-export-interval`, 0) < 0) {
      throw new Error(`export interval "${values.text(`${key}-export-interval`)}" should be greater than zero`)
    }
  }
  checkEndpoint(values, 'tracing', 'http/protobuf grpc stdout none', (protocol) => `for protocol "${protocol}"`)
  const rate = values.float('tracing-sampling-rate', 0)
  if (rate < 0) throw new Error(`sampling rate ${rate.toFixed(6)} should be greater or equal to zero`)
  if (rate > 1) throw new Error(`sampling rate ${rate.toFixed(6)} should be less than or equal to one`)
  const profiling = values.text('runtime-profiling', 'disabled')
  if (profiling !== 'enabled' && profiling !== 'disabled') {
    throw new Error(`unsupported profile setting ${JSON.stringify(profiling)}`)
  }
  if (values.durationMs('runtime-export-interval', 15_000) < 0) {
    throw new Error(`export interval "${values.text('runtime-export-interval')}" should be greater than zero`)
  }
}

function checkEndpoint(values: ConfigValues, key: string, known: string, when: (protocol: string) => string): void {
  const protocol = values.text(`${key}-protocol`, 'none')
  const endpoint = values.text(`${key}-endpoint`)
  if (!known.split(' ').includes(protocol)) throw new Error(`unsupported protocol ${JSON.stringify(protocol)}`)
  const needsOne = protocol === 'grpc' || protocol === 'http/protobuf'
  if (needsOne && endpoint === '') throw new Error(`endpoint should be set ${when(protocol)}`)
  if ((protocol === 'none' || protocol === 'stdout') && endpoint !== '') {
    const text = key === 'tracing' ? "when protocol is 'none'" : when(protocol)
    throw new Error(`endpoint should not be set ${text}`)
  }
}

const bucketsMax = 10

export function checkLeaderElectionConfig(data: ConfigData): void {
  const values = new ConfigValues(data)
  for (const key of ['lease-duration', 'renew-deadline', 'retry-period']) values.durationMs(key, 0)
  const buckets = values.int64('buckets', 1)
  if (buckets < 1 || buckets > bucketsMax) {
    throw new Error(`buckets: value must be between 1 <= ${buckets} <= ${bucketsMax}`)
  }
}

export function checkLoggingConfig(data: ConfigData): void {
  const text = data['zap-logger-config']
  if (text === undefined || text.trim() === '') return
  try {
    JSON.parse(text)
  } catch (thrown) {
    throw new Error(`invalid JSON in zap-logger-config: ${messageOf(thrown)}`, { cause: thrown })
  }
}
