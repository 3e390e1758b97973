// A Podman of the test's own: its API on a socket in a temporary folder, with storage, networks and images of its own.
import { execFile, spawn } from 'node:child_process'
import { randomBytes, randomInt } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import { promisify } from 'node:util'
import { messageOf } from '../../src/base/errors.ts'
import { networkPrefix, removeLeftRules } from './left-rules.ts'
import { skipUnless } from './require.ts'

/** An image with Node as its entry point and `/app` as its folder. */
export const nodeImage = 'localhost/knode-test/node:v1'

export interface Podman extends AsyncDisposable {
  /** Value of DOCKER_HOST. */
  dockerHost: string
  /** Runs `podman WORDS` against the same storage. @throws when it exits with another code than 0 */
  run(...words: string[]): Promise<string>
  /** Builds an image on {@link nodeImage} whose program is this text of a CommonJS module. */
  build(name: string, program: string): Promise<void>
}

/** Longest wait for the service's first answer, in milliseconds. */
const deadlineMs = 30_000

/** Works with what Debian has: `runc`, and limits that need no right to raise them. */
const configuration = (folder: string, network: string): string => `
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1000:1000"]
[engine]
runtime = "runc"
events_logger = "file"
cgroup_manager = "cgroupfs"
# Seconds that what watched over a command in a container stays afterwards.
exit_command_delay = 2
[network]
network_backend = "netavark"
network_config_dir = "${join(folder, 'networks')}"
default_network = "${network}"
`

/**
 * A network with a name, an interface and addresses that no other test's Podman has at the same time: those of one name
 * share their rules in the kernel, and whoever ends first takes them from the other.
 */
async function writeNetwork(folder: string, network: string, id: string): Promise<void> {
  const subnet = `10.${200 + randomInt(50)}.${randomInt(256)}`
  const definition = {
    name: network,
    id,
    driver: 'bridge',
    network_interface: network,
    created: '2026-01-01T00:00:00Z',
    subnets: [{ subnet: `${subnet}.0/24`, gateway: `${subnet}.1` }],
    ipv6_enabled: false,
    internal: false,
    dns_enabled: false,
    ipam_options: { driver: 'host-local' },
  }
  await mkdir(join(folder, 'networks'))
  await writeFile(join(folder, 'networks', `${network}.json`), JSON.stringify(definition))
}

/** Starts one; skips the test with a line where Podman is not to be had, and fails with KNODE_TEST_REQUIRE=all. */
export async function startPodman(test: TestContext): Promise<Podman | undefined> {
  const { podman, reason } = await openPodman()
  skipUnless(test, podman !== undefined, reason)
  return podman
}

/** Starts one for all tests of a file, or says in a line why it cannot be had. */
export async function openPodman(): Promise<{ podman: Podman | undefined; reason: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'knode-podman-'))
  try {
    return { podman: await start(folder), reason: '' }
  } catch (thrown) {
    await rm(folder, { recursive: true, force: true })
    const [first, second = ''] = messageOf(thrown).split('\n')
    return { podman: undefined, reason: `Podman cannot be used here: ${first} ${second}`.trim() }
  }
}

async function start(folder: string): Promise<Podman> {
  const config = join(folder, 'containers.conf')
  const id = randomBytes(32).toString('hex')
  const network = `${networkPrefix}${id.slice(0, 6)}`
  await writeFile(config, configuration(folder, network))
  await writeNetwork(folder, network, id)
  const env = { ...process.env, CONTAINERS_CONF: config, TMPDIR: folder }
  const folders = ['root', 'runroot', 'tmpdir'].flatMap((name) => [`--${name}`, join(folder, name)])
  const storage = [...folders, '--storage-driver', 'overlay']
  const run = async (...words: string[]): Promise<string> => {
    const { stdout } = await promisify(execFile)('podman', [...storage, ...words], { env, cwd: folder })
    return stdout
  }
  const socket = join(folder, 'podman.sock')
  await importNode(folder, run)
  // A container that runs at once tells whether networks work here, too.
  await run('run', '--rm', nodeImage, '--version')
  const service = spawn('podman', [...storage, 'system', 'service', '--time', '0', `unix://${socket}`], {
    env,
    // What watches over containers notes here when one had no memory left.
    cwd: folder,
    stdio: 'ignore',
  })
  const end = async (): Promise<void> => {
    if (service.exitCode === null && service.signalCode === null) {
      service.kill('SIGTERM')
      await once(service, 'exit')
    }
    await run('rm', '--all', '--force', '--time', '0').catch(() => undefined)
    // Removes what belongs to users that only exist in a container, and unmounts.
    await run('system', 'reset', '--force').catch(() => undefined)
    await removeLeftRules()
    await rm(folder, { recursive: true, force: true }).catch(() => undefined)
  }
  try {
    await answers(socket)
  } catch (thrown) {
    await end()
    throw thrown
  }
  return {
    dockerHost: `unix://${socket}`,
    run,
    async build(name, program) {
      const context = await mkdtemp(join(folder, 'build-'))
      await writeFile(join(context, 'app.cjs'), program)
      await writeFile(join(context, 'Containerfile'), `FROM ${nodeImage}\nCOPY app.cjs /app/\nCMD ["/app/app.cjs"]\n`)
      await run('build', '--network', 'none', '--pull=never', '--tag', name, context)
    },
    [Symbol.asyncDispose]: end,
  }
}

/** The Node that runs the test, and the libraries it is linked to. */
async function importNode(folder: string, run: Podman['run']): Promise<void> {
  const root = join(folder, 'image')
  const add = async (source: string, path: string): Promise<void> => {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await symlink(await realpath(source), join(root, path))
  }
  await add(process.execPath, '/bin/node')
  const { stdout } = await promisify(execFile)('ldd', [process.execPath])
  for (const [library] of stdout.matchAll(/\/\S+/g)) await add(library, library)
  for (const empty of ['app', 'tmp', 'etc', 'proc', 'dev', 'sys']) await mkdir(join(root, empty), { recursive: true })
  const archive = join(folder, 'image.tar')
  await promisify(execFile)('tar', ['--dereference', '--directory', root, '--create', '--file', archive, '.'])
  const changes = ['ENTRYPOINT ["/bin/node"]', 'WORKDIR /app'].flatMap((change) => ['--change', change])
  await run('import', ...changes, archive, nodeImage)
  await rm(archive)
}

async function answers(socketPath: string): Promise<void> {
  const untilMs = performance.now() + deadlineMs
  for (;;) {
    const isThere = await new Promise<boolean>((resolve) => {
      const ping = request({ socketPath, path: '/_ping' }, (response) => {
        response.resume()
        resolve(response.statusCode === 200)
      })
      ping.once('error', () => resolve(false))
      ping.end()
    })
    if (isThere) return
    if (performance.now() > untilMs) throw new Error('the service of Podman does not answer')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
