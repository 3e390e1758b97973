// Which file may import which. The drawing is in ARCHITECTURE.md.

/** Ground floor first. */
const floors = ['base', 'model', 'ports', 'engine', 'kinds', 'app', 'cli', 'main.ts', 'index.ts']

/** Why `importer` may not import `target` (paths below `src/`), or `undefined` when it may. */
export function objection(importer: string, target: string): string | undefined {
  const [home = '', room] = importer.split('/')
  const [door = '', aim, ...deeper] = target.split('/')
  if (home === 'cli' && !['cli', 'app', 'model', 'base'].includes(door)) return 'the CLI is a client'
  if (floors.indexOf(door) > floors.indexOf(home)) return 'imports point down'
  if (door === 'ports' && home !== 'ports' && deeper.length > 1) return 'drivers hide behind open.ts'
  if (home === 'ports' && door === 'ports' && room !== aim) return 'ports do not know each other'
  if (home === 'engine' && door === 'engine' && room !== aim && deeper.length > 0) return 'rooms are introduced by app/'
  if (home === 'kinds' && door === 'kinds' && room !== 'registry.ts' && slice(importer) !== slice(target)) {
    return target.endsWith('/schema.ts') ? undefined : 'slices share schemas only'
  }
  return undefined
}

const slice = (path: string): string => path.split('/').slice(0, 3).join('/')
