// Which running Knode is meant, and what a kubeconfig that makes no sense is told.
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { findConnection, kubeconfigPath } from './connection.ts'

const aKubeconfig = (server: string, more = ''): string =>
  `apiVersion: v1\nkind: Config\ncurrent-context: c\nclusters: [{name: k, cluster: {server: '${server}'${more}}}]\n` +
  `users: [{name: u, user: {token: secret}}]\ncontexts: [{name: c, context: {cluster: k, user: u, namespace: shop}}]\n`

describe('connection', () => {
  let home = ''
  before(async () => {
    home = await mkdtemp(join(tmpdir(), 'knode-connection-'))
    for (const name of ['flag', 'knode-variable', 'variable', 'data']) {
      await mkdir(join(home, name))
      await writeFile(join(home, name, 'kubeconfig'), aKubeconfig(`https://${name}.example/`))
    }
  })
  after(() => rm(home, { recursive: true }))
  const path = (name: string): string => join(home, name, 'kubeconfig')

  it('comes from the flag, then the data directory’s flag, then the variables, then the data directory', async () => {
    const rows: [Record<string, string>, Record<string, string>, string][] = [
      [{ kubeconfig: path('flag'), 'data-dir': join(home, 'data') }, { KUBECONFIG: path('variable') }, 'flag'],
      [{ 'data-dir': join(home, 'data') }, { KUBECONFIG: path('variable') }, 'data'],
      [{}, { KNODE_KUBECONFIG: path('knode-variable'), KUBECONFIG: path('variable') }, 'knode-variable'],
      [{}, { KUBECONFIG: `:${path('variable')}:/elsewhere`, KNODE_DATA_DIR: join(home, 'data') }, 'variable'],
      [{}, { KUBECONFIG: '', KNODE_DATA_DIR: join(home, 'data') }, 'data'],
    ]
    for (const [flags, env, name] of rows) {
      const wanted = { server: `https://${name}.example`, token: 'secret', namespace: 'shop' }
      assert.deepEqual(await findConnection(flags, env), wanted)
    }
    for (const env of [{}, { KNODE_DATA_DIR: '' }]) {
      assert.match(kubeconfigPath({}, env).path, /\/\.knode\/kubeconfig$/)
    }
  })

  it('takes its address from --server, and the rest from a kubeconfig if there is one', async () => {
    const server = 'http://127.0.0.1:1'
    const nowhere = { KNODE_DATA_DIR: join(home, 'nowhere') }
    assert.deepEqual(await findConnection({ server }, nowhere), { server, namespace: 'default' })
    const found = await findConnection({ server, kubeconfig: path('flag') }, {})
    assert.deepEqual(found, { server, token: 'secret', namespace: 'shop' })
  })

  it('trusts the certificate that the kubeconfig carries', async () => {
    const file = join(home, 'with-ca')
    await writeFile(
      file,
      aKubeconfig('https://x', `, certificate-authority-data: ${Buffer.from('PEM').toString('base64')}`),
    )
    assert.equal((await findConnection({ kubeconfig: file }, {})).certificateAuthority, 'PEM')
    await writeFile(join(home, 'ca.pem'), 'PEM2')
    await writeFile(file, aKubeconfig('https://x', ', certificate-authority: ca.pem'))
    assert.equal((await findConnection({ kubeconfig: file }, {})).certificateAuthority, 'PEM2')
  })

  it('that cannot be made out is told with the file', async () => {
    const file = join(home, 'broken')
    const rows: [string, string][] = [
      ['a: [', `${file}: line 1: Flow sequence in block collection must be sufficiently indented and end with a ]`],
      ['', `${file}: its current context names no server`],
      ['just text', `${file}: its current context names no server`],
      [aKubeconfig('ftp://x'), `${file}: "ftp://x" is no http(s) address`],
    ]
    for (const [text, message] of rows) {
      await writeFile(file, text)
      await assert.rejects(findConnection({ kubeconfig: file }, {}), { code: 'BAD_CONFIG', message })
    }
    await assert.rejects(findConnection({ server: 'not a url' }, {}), {
      message: '--server: "not a url" is no http(s) address',
    })
    await assert.rejects(findConnection({ kubeconfig: join(home, 'none') }, {}), {
      code: 'API_UNREACHABLE',
      message: `no running Knode found: there is no ${join(home, 'none')}`,
      hint: 'name the kubeconfig that knode up has written, with --kubeconfig or KUBECONFIG',
    })
  })
})
