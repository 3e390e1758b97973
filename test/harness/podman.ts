// A Podman of the test's own: its API on a socket in a temporary folder, with storage, networks and images of its own.
import { execFile, spawn } from 'node:child_process'
import { randomBytes, randomInt } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { createServer } from 'node:net'
import type { Server } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import { promisify } from 'node:util'
import { messageOf } from '../../src/base/errors.ts'
import { eventually, inTime, programPatience } from '../../src/base/eventually.ts'
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

/** Tries to remove the folder while something in it is still busy: half a minute in all. */
const removal = { recursive: true, force: true, maxRetries: 24, retryDelay: 100 }

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

/** A network with an interface and addresses that no other test's Podman has, nor one that was killed. */
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

/**
 * The name of a socket in the machine's network that whoever has a Podman listens at: Podmans with storage of their own
 * share the machine's packet filter without knowing of each other, and one pulls its chains from under another.
 */
const turnName = '\0knode-test-podman'

/** Longest wait for one's turn, in milliseconds: others have whole test files to run. */
const turnPatience = { patienceMs: 3_600_000 }

/** Resolves when no other test has a Podman. The system gives the turn back of a process that ends in whatever way. */
async function takeTurn(): Promise<AsyncDisposable> {
  const attempt = (): Promise<Server | undefined> =>
    new Promise((resolve, reject) => {
      const server = createServer()
      server.once('error', (error: NodeJS.ErrnoException) =>
        error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error),
      )
      server.listen(turnName, () => resolve(server))
    })
  const turn = await eventually(attempt, 'the Podmans of other tests to be gone', turnPatience)
  return { [Symbol.asyncDispose]: () => new Promise((resolve) => turn.close(() => resolve())) }
}

/** Starts one for all tests of a file, when it is this file's turn, or says in a line why it cannot be had. */
export async function openPodman(): Promise<{ podman: Podman | undefined; reason: string }> {
  await using ending = new AsyncDisposableStack()
  try {
    ending.use(await takeTurn())
    const podman = await start(ending)
    const running = ending.move()
    return { podman: { ...podman, [Symbol.asyncDispose]: () => running.disposeAsync() }, reason: '' }
  } catch (thrown) {
    const [first, second = ''] = messageOf(thrown).split('\n')
    return { podman: undefined, reason: `Podman cannot be used here: ${first} ${second}`.trim() }
  }
}

/** @param ending gets what is to be done at the end, also when the start fails half-way. */
async function start(ending: AsyncDisposableStack): Promise<Omit<Podman, typeof Symbol.asyncDispose>> {
  const folder = await mkdtemp(join(tmpdir(), 'knode-podman-'))
  ending.defer(() => remove(folder))
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
  ending.defer(async () => {
    await run('rm', '--all', '--force', '--time', '0').catch(() => undefined)
    // Removes what belongs to users that only exist in a container, and unmounts.
    await run('system', 'reset', '--force').catch(() => undefined)
    await removeLeftRules()
  })
  await importNode(folder, run)
  // A container that runs at once tells whether networks work here, too.
  await run('run', '--rm', nodeImage, '--version')
  const service = spawn('podman', [...storage, 'system', 'service', '--time', '0', `unix://${socket}`], {
    env,
    // What watches over containers notes here when one had no memory left.
    cwd: folder,
    stdio: 'ignore',
  })
  const ended = once(service, 'exit')
  ending.defer(async () => {
    service.kill('SIGTERM')
    await inTime(ended, 'the service of Podman to end', programPatience).finally(() => service.kill('SIGKILL'))
  })
  await eventually(
    () => {
      if (service.exitCode !== null) throw new Error(`the service of Podman ended with ${service.exitCode}`)
      return answers(socket)
    },
    'the service of Podman to answer',
    programPatience,
  )
  return {
    dockerHost: `unix://${socket}`,
    run,
    async build(name, program) {
      const context = await mkdtemp(join(folder, 'build-'))
      await writeFile(join(context, 'app.cjs'), program)
      await writeFile(join(context, 'Containerfile'), `FROM ${nodeImage}\nCOPY app.cjs /app/\nCMD ["/app/app.cjs"]\n`)
      await run('build', '--network', 'none', '--pull=never', '--tag', name, context)
    },
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

function answers(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const ping = request({ socketPath, path: '/_ping' }, (response) => {
      response.resume()
      resolve(response.statusCode === 200)
    })
    ping.once('error', () => resolve(false))
    ping.end()
  })
}

/** Removes the folder and what is still mounted in it. @throws with the mounts that are left when it stays busy */
async function remove(folder: string): Promise<void> {
  const mounts = async (): Promise<string[]> => {
    const lines = (await readFile('/proc/self/mountinfo', 'utf8').catch(() => '')).split('\n')
    return lines.map((line) => line.split(' ')[4] ?? '').filter((path) => path.startsWith(`${folder}/`))
  }
  // The newest first: it may lie on an older one.
  for (const path of (await mounts()).toReversed()) {
    await promisify(execFile)('umount', ['--lazy', path]).catch(() => undefined)
  }
  await rm(folder, removal).catch(async (cause: unknown) => {
    const left = (await mounts()).join(', ')
    throw new Error(`${folder} cannot be removed: ${messageOf(cause)}; still mounted: ${left || 'nothing'}`, { cause })
  })
}
