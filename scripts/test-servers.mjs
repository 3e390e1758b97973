// Servers that tests run against and Debian has. They are installed only where no test may be skipped
// (KNODE_TEST_REQUIRE=all), as root, with apt: nobody's machine changes because of a mere `npm test`.
import { spawnSync } from 'node:child_process'

/** A program that must be there, and the packages it comes with. */
const servers = [
  {
    program: 'podman',
    packages: ['podman', 'runc', 'netavark', 'iptables'],
  },
]

const runs = (program, ...words) => spawnSync(program, words, { stdio: 'ignore' }).status === 0

/** Tests whose server cannot be installed say so themselves. */
export function installTestServers() {
  if (process.env['KNODE_TEST_REQUIRE'] !== 'all' || process.getuid?.() !== 0 || !runs('apt-get', '--version')) return
  const packages = servers.flatMap(({ program, packages }) => (runs(program, '--version') ? [] : packages))
  if (packages.length === 0) return
  console.error(`knode: installing what the tests run against (once): ${packages.join(' ')} …`)
  const apt = (...words) =>
    spawnSync('apt-get', ['-qq', ...words], {
      stdio: ['ignore', process.stderr, process.stderr],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    }).status === 0
  const isInstalled = apt('update') && apt('install', '--yes', '--no-install-recommends', ...packages)
  if (!isInstalled) console.error('knode: that failed; see the messages above')
}
