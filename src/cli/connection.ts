// Which running Knode a command talks to: flags, then environment, then the data directory here.
import { readFile } from 'node:fs/promises'
import { delimiter, dirname, join, resolve } from 'node:path'
import { KnodeError, messageOf } from '../base/errors.ts'
import { parseYaml } from '../model/kubernetes/yaml.ts'

export interface Connection {
  /** Without a trailing slash. */
  server: string
  token?: string
  /** PEM certificates that the server's is checked against. */
  certificateAuthority?: string
  namespace: string
}

const dataDirDefault = '.knode'

type Environment = Readonly<Record<string, string | undefined>>
/** Flags of a command; of those that name a Knode only text is there. */
type ConnectionFlags = Readonly<Record<string, unknown>>

/** @throws {KnodeError} API_UNREACHABLE when there is no kubeconfig, BAD_CONFIG when it makes no sense. */
export async function findConnection(flags: ConnectionFlags, env: Environment): Promise<Connection> {
  const given = text(flags, 'server')
  const server = given === undefined ? undefined : checkedUrl(given, '--server')
  const { path, isNamed } = kubeconfigPath(flags, env)
  const content = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => error)
  if (typeof content === 'string') {
    const connection = await parseKubeconfig(content, path)
    return server === undefined ? connection : { ...connection, server }
  }
  if (server !== undefined && !isNamed) return { server, namespace: 'default' }
  const why = content.code === 'ENOENT' ? `there is no ${path}` : messageOf(content)
  const hint = isNamed
    ? 'name the kubeconfig that knode up has written, with --kubeconfig or KUBECONFIG'
    : 'start one here with knode up, or name its data directory with --data-dir'
  throw new KnodeError('API_UNREACHABLE', `no running Knode found: ${why}`, { hint })
}

/** The kubeconfig that flags and environment name. `isNamed`: rather than looked for where it usually is. */
export function kubeconfigPath(flags: ConnectionFlags, env: Environment): { path: string; isNamed: boolean } {
  const file = text(flags, 'kubeconfig')
  if (file !== undefined) return { path: resolve(file), isNamed: true }
  const dataDir = text(flags, 'data-dir')
  if (dataDir !== undefined) return { path: resolve(dataDir, 'kubeconfig'), isNamed: false }
  // kubectl allows a list of files; the first one decides here.
  const listed = [env['KNODE_KUBECONFIG'], ...(env['KUBECONFIG'] ?? '').split(delimiter)]
  const first = listed.find((path) => path !== undefined && path !== '')
  if (first !== undefined) return { path: resolve(first), isNamed: true }
  return { path: resolve(env['KNODE_DATA_DIR'] || dataDirDefault, 'kubeconfig'), isNamed: false }
}

function text(flags: ConnectionFlags, name: string): string | undefined {
  const value = flags[name]
  return typeof value === 'string' ? value : undefined
}

interface Named {
  name?: string
  [content: string]: unknown
}

async function parseKubeconfig(text: string, path: string): Promise<Connection> {
  const [document] = parseYaml(text)
  if (document?.problem !== undefined)
    throw badKubeconfig(path, `line ${document.problem.line}: ${document.problem.message}`)
  const config = (document?.value ?? {}) as Record<string, unknown>
  const named = (list: string, part: string, name: unknown): Record<string, unknown> => {
    const entries = Array.isArray(config[list]) ? (config[list] as Named[]) : []
    return (entries.find((entry) => entry.name === name)?.[part] ?? {}) as Record<string, unknown>
  }
  const context = named('contexts', 'context', config['current-context'])
  const cluster = named('clusters', 'cluster', context['cluster'])
  const user = named('users', 'user', context['user'])
  if (typeof cluster['server'] !== 'string') throw badKubeconfig(path, 'its current context names no server')
  const data = cluster['certificate-authority-data']
  const file = cluster['certificate-authority']
  const authority =
    typeof data === 'string'
      ? Buffer.from(data, 'base64').toString('utf8')
      : typeof file === 'string'
        ? await readFile(resolve(dirname(path), file), 'utf8')
        : undefined
  return {
    server: checkedUrl(cluster['server'], path),
    namespace: typeof context['namespace'] === 'string' ? context['namespace'] : 'default',
    ...(typeof user['token'] === 'string' && { token: user['token'] }),
    ...(authority !== undefined && { certificateAuthority: authority }),
  }
}

function checkedUrl(text: string, origin: string): string {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
    throw badKubeconfig(origin, `"${text}" is no http(s) address`)
  }
  return text.replace(/\/+$/, '')
}

function badKubeconfig(origin: string, message: string): KnodeError {
  return new KnodeError('BAD_CONFIG', `${origin}: ${message}`, {
    hint: `use the kubeconfig that knode up writes to ${join('DATA_DIR', 'kubeconfig')}`,
  })
}
