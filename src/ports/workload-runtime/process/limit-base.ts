// Where in the kernel's tree of control groups Knode may make groups that hold programs to their limits.
// Source: the kernel's admin-guide/cgroup-v2.rst and cgroup-v1/cgroups.rst, proc(5) for mountinfo.
import { readFile, writeFile } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'

export type Controller = 'cpu' | 'memory'

/** A group whose children can be limited. */
export interface LimitBase {
  version: 1 | 2
  /** Folder in which a child is made by making a folder. */
  folder: string
  controllers: ReadonlySet<Controller>
}

const wanted: readonly Controller[] = ['cpu', 'memory']

/** Finds it by `mountinfo` and `cgroup` in `selfDir`; a text says why there is none. */
export async function findLimitBase(selfDir: string): Promise<LimitBase | string> {
  const [mounts, groups] = await Promise.all([readText(join(selfDir, 'mountinfo')), readText(join(selfDir, 'cgroup'))])
  const memberships = groups.split('\n').map(parseMembership)
  const unified = memberships.find(({ isUnified }) => isUnified)
  const own = unified && folderOf(mounts, unified.path, (type) => type === 'cgroup2')
  const found = own === undefined ? 'the system has no control groups' : await unifiedBase(own)
  if (typeof found !== 'string') return found
  // Of the old version only processor time: its memory controller cannot end a group as a whole, and is on its way out.
  const old = memberships.find(({ controllers }) => controllers.includes('cpu'))
  const folder = old && folderOf(mounts, old.path, (type, options) => type === 'cgroup' && options.includes('cpu'))
  return folder === undefined ? found : { version: 1, folder, controllers: new Set<Controller>(['cpu']) }
}

/**
 * Version 2 gives controllers to the children of groups without processes only. Knode stays where it is, so this is the
 * root, which is excepted, or the group around Knode's when that is a unit of systemd with Knode in a group below.
 */
async function unifiedBase(own: string): Promise<LimitBase | string> {
  const isRoot = (await readText(join(own, 'cgroup.type'))) === ''
  const around = dirname(own)
  if (!isRoot && !/\.(service|scope)$/.test(basename(around))) {
    return `the control group ${own} holds Knode itself, so that none with limits can be made in it`
  }
  const folder = isRoot ? own : around
  const control = join(folder, 'cgroup.subtree_control')
  const offered = words(await readText(join(folder, 'cgroup.controllers')))
  const given = words(await readText(control))
  for (const name of wanted) {
    if (offered.includes(name) && !given.includes(name)) await writeFile(control, `+${name}`).catch(() => undefined)
  }
  const usable = words(await readText(control))
  const controllers = new Set(wanted.filter((name) => usable.includes(name)))
  if (controllers.size === 0) return `the control group ${folder} offers neither processor time nor memory`
  return { version: 2, folder, controllers }
}

interface Membership {
  /** The line of version 2, which names no controllers. */
  isUnified: boolean
  controllers: string[]
  path: string
}

/** A line of `/proc/self/cgroup`: `ID:CONTROLLER,…:PATH`. */
function parseMembership(line: string): Membership {
  const [id, controllers = '', ...path] = line.split(':')
  return { isUnified: id === '0' && controllers === '', controllers: controllers.split(','), path: path.join(':') }
}

/** The folder of the group `path`, by the first mount whose type and options suit. */
function folderOf(
  mountinfo: string,
  path: string,
  suits: (type: string, options: string[]) => boolean,
): string | undefined {
  for (const line of mountinfo.split('\n')) {
    const [mount = '', system = ''] = line.split(' - ')
    const [, , , root, mountPoint] = mount.split(' ')
    const [type = '', , options = ''] = system.split(' ')
    if (root === undefined || mountPoint === undefined || !suits(type, options.split(','))) continue
    const below = relative(root, path)
    // A mount may show another part of the tree only.
    if (!below.startsWith('..')) return join(mountPoint, below)
  }
  return undefined
}

const words = (text: string): string[] => text.trim().split(/\s+/)

const readText = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '')
