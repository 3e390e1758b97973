// File, environment and flags become one frozen Config; what is wrong is told all at once.
import { parse } from 'yaml'
import { KnodeError, messageOf } from '../base/errors.ts'
import { nearest } from '../base/nearest.ts'
import { settings } from './config-schema.ts'
import type { Config, Setting } from './config-schema.ts'

export interface ConfigSources {
  /** By flag, without dashes: `{ 'api-port': '0', memory: true }`. Strongest. */
  flags?: Readonly<Record<string, string | boolean | undefined>>
  /** `KNODE_API_PORT=0`. Stronger than the file. */
  env?: Readonly<Record<string, string | undefined>>
  /** Text of a YAML or JSON file with the settings' names. */
  file?: { path: string; text: string }
}

/** @throws {KnodeError} BAD_CONFIG that names every bad setting. */
export function parseConfig({ flags = {}, env = {}, file }: ConfigSources = {}): Config {
  const problems: string[] = []
  const fromFile = file === undefined ? {} : readFile(file, problems)
  const config: Record<string, unknown> = {}
  for (const setting of settings as readonly Setting[]) {
    const variable = environmentName(setting)
    const candidates: [string, unknown][] = [
      [`--${setting.flag}`, flags[setting.flag]],
      // Shells and compose files write an absent value as an empty one.
      [variable, env[variable] === '' ? undefined : env[variable]],
      [`${file?.path}: ${setting.name}`, fromFile[setting.name]],
    ]
    const [origin, given] = candidates.find(([, value]) => value !== undefined) ?? ['', undefined]
    config[setting.name] = given === undefined ? setting.default : read(setting, given, origin, problems)
  }
  if (problems.length > 0) {
    throw new KnodeError('BAD_CONFIG', problems.join('\n'), { hint: 'knode config explain lists every setting' })
  }
  return Object.freeze(config) as Config
}

/** What `knode config explain` prints: every setting with flag, variable, type, unit, default and meaning. */
export function explainConfig(): string {
  const blocks = (settings as readonly Setting[]).map((setting) => {
    const kind = setting.choices === undefined ? setting.type : setting.choices.join(' | ')
    const unit = setting.unit === undefined ? '' : ` (${setting.unit})`
    return [
      setting.name,
      `  ${setting.description}`,
      `  type: ${kind}${unit}   default: ${String(setting.default)}`,
      `  flag: --${setting.flag}   environment: ${environmentName(setting)}`,
    ].join('\n')
  })
  return `${blocks.join('\n\n')}\n`
}

const environmentName = ({ flag }: Setting): string => `KNODE_${flag.toUpperCase().replaceAll('-', '_')}`

function readFile({ path, text }: { path: string; text: string }, problems: string[]): Record<string, unknown> {
  let parsed: unknown
  try {
    parsed = parse(text)
  } catch (thrown) {
    problems.push(`${path}: ${messageOf(thrown)}`)
    return {}
  }
  if (parsed === null || parsed === undefined) return {}
  if (typeof parsed !== 'object' || Array.isArray(parsed)) {
    problems.push(`${path}: expected settings as name: value`)
    return {}
  }
  const known = settings.map(({ name }) => name as string)
  for (const name of Object.keys(parsed)) {
    if (known.includes(name)) continue
    const close = nearest(name, known)
    problems.push(`${path}: unknown setting "${name}"${close === undefined ? '' : `, did you mean "${close}"?`}`)
  }
  return parsed as Record<string, unknown>
}

function read(setting: Setting, given: unknown, origin: string, problems: string[]): unknown {
  const { type, choices, min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER } = setting
  const refuse = (expected: string): void =>
    void problems.push(`${origin}: expected ${expected}, got "${String(given)}"`)
  switch (type) {
    case 'boolean':
      if (given === true || given === 'true') return true
      if (given === false || given === 'false') return false
      return refuse('true or false')
    case 'integer': {
      const value = typeof given === 'string' && /^-?\d+$/.test(given) ? Number(given) : given
      if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value
      const bounds = setting.max === undefined ? `a whole number from ${min}` : `a whole number from ${min} to ${max}`
      return refuse(setting.unit === undefined ? bounds : `${bounds} (${setting.unit})`)
    }
    case 'string':
      if (typeof given !== 'string' || given === '') return refuse('text')
      if (choices !== undefined && !choices.includes(given)) return refuse(`one of ${choices.join(', ')}`)
      return given
  }
}
