// Which TCP ports programs listen on. Source: proc(5).
import { readFile, readdir, readlink } from 'node:fs/promises'

/** State of a listening socket in /proc/net/tcp. */
const listenState = '0A'

/** Ports that any of these processes listens on, ascending; none where the system does not tell. */
export async function portsOfProcesses(pids: readonly number[]): Promise<number[]> {
  const inodes = new Set((await Promise.all(pids.map(socketInodes))).flat())
  return (await listeners('/proc/net')).filter(({ inode }) => inodes.has(inode)).map(({ port }) => port)
}

/** Ports that anything in the network of this process listens on, ascending; none where the system does not tell. */
export async function portsOfNetwork(pid: number): Promise<number[]> {
  return (await listeners(`/proc/${pid}/net`)).map(({ port }) => port)
}

/** `listens on 8080, not on PORT 23012`, or `undefined` when it does listen there, or nowhere. */
export function wrongPort(ports: readonly number[], port: number): string | undefined {
  if (ports.length === 0 || ports.includes(port)) return undefined
  return `listens on ${[...new Set(ports)].join(', ')}, not on PORT ${port}`
}

/** Rows of /proc/net/tcp: number, local address `HEX:HEXPORT`, remote address, state, …; the tenth field is the inode. */
async function listeners(folder: string): Promise<{ port: number; inode: string }[]> {
  const tables = await Promise.all([`${folder}/tcp`, `${folder}/tcp6`].map(readText))
  const found = tables.flatMap((table) =>
    table.split('\n').flatMap((row) => {
      const fields = row.trim().split(/\s+/)
      if (fields[3] !== listenState) return []
      const [, local = '', , , , , , , , inode = ''] = fields
      return [{ port: Number.parseInt(local.slice(local.lastIndexOf(':') + 1), 16), inode }]
    }),
  )
  return found.sort((a, b) => a.port - b.port)
}

async function socketInodes(pid: number): Promise<string[]> {
  const folder = `/proc/${pid}/fd`
  const descriptors = await readdir(folder).catch(() => [])
  const targets = await Promise.all(descriptors.map((name) => readlink(`${folder}/${name}`).catch(() => '')))
  return targets.flatMap((target) => /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? [])
}

const readText = (path: string): Promise<string> => readFile(path, 'latin1').catch(() => '')
