// The real kubectl against the API: what its users type, and what they read back.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { startTestApiServer } from '../harness/api-server.ts'
import type { TestApiServer } from '../harness/api-server.ts'
import { drink } from '../harness/drink.ts'
import type { Drink } from '../harness/drink.ts'
import { createKubectl, patience } from '../harness/kubectl.ts'
import type { Kubectl } from '../harness/kubectl.ts'

const installed = spawnSync('kubectl', ['version', '--client']).status === 0
const drinkId = 'Drink.demo.knode.dev'

const aDrink = (name: string, spec = 'cups: 2', metadata = ''): string => `apiVersion: demo.knode.dev/v1
kind: Drink
metadata:
  name: ${name}
  ${metadata}
spec:
  ${spec}
`
const aConfigMap = (name: string, value: string): string => `apiVersion: v1
kind: ConfigMap
metadata:
  name: ${name}
data:
  key: "${value}"
`
/** Table rows with single blanks, so that column widths do not matter. */
const rows = (output: string): string[] =>
  output
    .trimEnd()
    .split('\n')
    .map((line) => line.trim().replace(/ {2,}/g, ' | '))
const withoutAges = (output: string): string[] => rows(output).map((row) => row.replace(/\b\d+(s|m|m\d+s)\b/g, 'AGE'))

const mustRun = installed || process.env['KNODE_TEST_REQUIRE'] === 'all'

describe('kubectl', { skip: mustRun ? false : 'kubectl is not installed' }, () => {
  let server: TestApiServer
  let kubectl: Kubectl
  before(async () => {
    server = await startTestApiServer([drink])
    kubectl = await createKubectl(server)
  })
  after(async () => {
    await kubectl[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
  })
  const ok = (...args: string[]): Promise<string> => kubectl.ok(args)
  const apply = (manifest: string, ...args: string[]): Promise<string> =>
    kubectl.ok(['apply', ...args, '-f', '-'], { stdin: manifest })
  const refused = async (args: string[], stdin = ''): Promise<string> => {
    const { code, stdout, stderr } = await kubectl.run(args, { stdin })
    assert.notEqual(code, 0, stdout)
    return stderr
  }
  /** A namespace of its own for each test. */
  const inNamespace = async (name: string): Promise<string[]> => {
    await ok('create', 'namespace', name)
    return ['-n', name]
  }

  test('finds the server, its version and its kinds', async () => {
    assert.match(await ok('version'), /Server Version: v1\.34\.1/)
    const kinds = rows(await ok('api-resources')).map((row) => row.replaceAll(' | ', ' '))
    for (const wanted of [
      'configmaps cm v1 true ConfigMap',
      'namespaces ns v1 false Namespace',
      'secrets v1 true Secret',
      'serviceaccounts sa v1 true ServiceAccount',
      'services svc v1 true Service',
      'events ev v1 true Event',
      'customresourcedefinitions crd,crds apiextensions.k8s.io/v1 false CustomResourceDefinition',
      'drinks dr demo.knode.dev/v1 true Drink',
    ]) {
      assert.ok(kinds.includes(wanted), wanted)
    }
    assert.match(await ok('api-resources', '--categories=knative', '-o', 'name'), /^drinks\.demo\.knode\.dev\n$/)
    assert.match(await ok('api-versions'), /^demo\.knode\.dev\/v1beta1$/m)
    assert.match(await ok('auth', 'whoami'), /kubernetes-admin/)
    assert.equal(await ok('auth', 'can-i', 'create', 'drinks'), 'yes\n')
  })

  test('creates ns, cm, secret, sa and svc from flags, which it sends as protobuf', async () => {
    const ns = await inNamespace('imperative')
    assert.equal(
      await ok(...ns, 'create', 'cm', 'c', '--from-literal=a=1', '--from-literal=b='),
      'configmap/c created\n',
    )
    assert.equal(await ok(...ns, 'create', 'secret', 'generic', 's', '--from-literal=p=ü'), 'secret/s created\n')
    assert.equal(await ok(...ns, 'create', 'sa', 'till'), 'serviceaccount/till created\n')
    assert.equal(await ok(...ns, 'create', 'svc', 'clusterip', 'front', '--tcp=80:8080'), 'service/front created\n')
    assert.equal(await ok(...ns, 'get', 'cm', 'c', '-o', 'jsonpath={.data}'), '{"a":"1","b":""}')
    const secret = await ok(...ns, 'get', 'secret', 's', '-o', 'go-template={{.data.p | base64decode}} {{.type}}')
    assert.equal(secret, 'ü Opaque')
    assert.deepEqual(withoutAges(await ok(...ns, 'get', 'cm,secret,sa')), [
      'NAME | DATA | AGE',
      'configmap/c | 2 | AGE',
      'configmap/kube-root-ca.crt | 1 | AGE',
      '',
      'NAME | TYPE | DATA | AGE',
      'secret/s | Opaque | 1 | AGE',
      '',
      'NAME | SECRETS | AGE',
      'serviceaccount/default | 0 | AGE',
      'serviceaccount/till | 0 | AGE',
    ])
    const [, front = ''] = withoutAges(await ok(...ns, 'get', 'svc', '-o', 'wide'))
    assert.match(front, /^front \| ClusterIP \| 10\.\d+\.\d+\.\d+ \| <none> \| 80\/TCP \| AGE \| app=front$/)
    assert.match(await ok(...ns, 'describe', 'svc', 'front'), /TargetPort: +8080\/TCP/)
    assert.equal(
      await refused([...ns, 'create', 'cm', 'c']),
      'error: failed to create configmap: configmaps "c" already exists\n',
    )
    const bad = ['apply', '-f', '-', ...ns]
    assert.equal(
      await refused(bad, 'apiVersion: v1\nkind: Service\nmetadata: {name: Bad}\nspec: {ports: [{port: 0}]}\n'),
      'The Service "Bad" is invalid: \n' +
        '* metadata.name: Invalid value: "Bad": a DNS-1035 label must consist of lower case alphanumeric characters or ' +
        "'-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', " +
        "regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')\n" +
        '* spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive\n' +
        '* spec.ports[0].targetPort: Invalid value: 0: must be between 1 and 65535, inclusive\n',
    )
  })

  test('applies client-side: created, unchanged, configured; several documents; a directory', async () => {
    const ns = await inNamespace('client-side')
    const both = `${aDrink('tea')}---\n${aConfigMap('c', '1')}`
    assert.equal(await apply(both, ...ns), 'drink.demo.knode.dev/tea created\nconfigmap/c created\n')
    assert.equal(await apply(both, ...ns), 'drink.demo.knode.dev/tea unchanged\nconfigmap/c unchanged\n')
    const changed = `${aDrink('tea', 'flavours: [mint]\n  cups: 3')}---\n${aConfigMap('c', '2')}`
    assert.equal(await apply(changed, ...ns), 'drink.demo.knode.dev/tea configured\nconfigmap/c configured\n')
    await apply(aDrink('tea'), ...ns)
    const spec = await ok(...ns, 'get', 'drink', 'tea', '-o', 'jsonpath={.spec} {.metadata.generation}')
    assert.equal(spec, '{"cups":2} 3', 'what the manifest no longer says is gone')
    const directory = join(kubectl.directory, 'manifests')
    await mkdir(directory)
    await writeFile(join(directory, '1.yaml'), aConfigMap('c', '2'))
    await writeFile(join(directory, '2.yaml'), aDrink('coffee'))
    assert.deepEqual((await ok(...ns, 'apply', '-f', directory)).split('\n').sort(), [
      '',
      'configmap/c unchanged',
      'drink.demo.knode.dev/coffee created',
    ])
  })

  test('applies server-side, tells conflicts, and takes over by force', async () => {
    const ns = await inNamespace('server-side')
    const args = [...ns, '--server-side']
    assert.equal(await apply(aDrink('tea'), ...args), 'drink.demo.knode.dev/tea serverside-applied\n')
    const other = [...args, '--field-manager=other']
    assert.match(
      await refused(['apply', '-f', '-', ...other], aDrink('tea', 'cups: 5')),
      /Apply failed with 1 conflict: conflict with "kubectl": \.spec\.cups/,
    )
    assert.match(await apply(aDrink('tea', 'cups: 5'), ...other, '--force-conflicts'), /serverside-applied/)
    await apply(aConfigMap('c', '1'), ...ns)
    for (const value of ['1', '2', '3']) await apply(aConfigMap('c', value), ...args)
    assert.equal(await ok(...ns, 'get', 'cm', 'c', '-o', 'jsonpath={.data.key}'), '3')
  })

  test('shows tables, wide tables, YAML, JSON and names, across namespaces, by label, field, category and short name', async () => {
    const ns = await inNamespace('shown')
    await apply(aDrink('tea', 'flavours: [mint]\n  cups: 2', 'labels: {hot: "yes"}'), ...ns)
    await apply(aDrink('juice'), ...ns)
    const table = ['NAME | CUPS | AGE | READY | REASON', 'juice | 2 | AGE', 'tea | 2 | AGE']
    for (const name of ['drinks', 'drink', 'dr', 'drinks.demo.knode.dev', 'drinks.v1.demo.knode.dev']) {
      assert.deepEqual(withoutAges(await ok(...ns, 'get', name)), table, name)
    }
    assert.match(await ok(...ns, 'get', 'dr', '-o', 'wide'), /FLAVOUR\n(.*\n)?tea .* mint$/m)
    assert.match(await ok('get', 'dr', '-A'), /^shown +tea /m)
    assert.deepEqual(withoutAges(await ok(...ns, 'get', 'dr', '-l', 'hot', '-L', 'hot')).at(-1), 'tea | 2 | AGE | yes')
    assert.equal(await ok(...ns, 'get', 'dr', '-o', 'name'), 'drink.demo.knode.dev/juice\ndrink.demo.knode.dev/tea\n')
    assert.match(await ok(...ns, 'get', 'knative'), /tea/)
    assert.match(await ok(...ns, 'get', 'all'), /drink\.demo\.knode\.dev\/tea/)
    assert.match(await ok(...ns, 'get', 'dr', 'tea', '-o', 'yaml'), /^spec:\n {2}cups: 2\n {2}flavours:\n {2}- mint\n/m)
    assert.equal(JSON.parse(await ok(...ns, 'get', 'dr', '-o', 'json')).items.length, 2)
    assert.equal(await ok('get', 'ns', '--field-selector', 'metadata.name=shown', '-o', 'name'), 'namespace/shown\n')
    assert.match(await ok(...ns, 'get', 'dr', '--sort-by=.metadata.name', '--chunk-size=1'), /juice[^]*tea/)
    assert.match(
      await refused([...ns, 'get', 'dr', '--field-selector', 'spec.cups=2']),
      /field label not supported: spec\.cups/,
    )
  })

  test('warns of deprecated versions and serves them all', async () => {
    const ns = await inNamespace('versions')
    const old = aDrink('old').replace('knode.dev/v1', 'knode.dev/v1beta1')
    const { stderr } = await kubectl.run(['apply', '-f', '-', ...ns], { stdin: old })
    assert.equal(stderr, 'Warning: demo.knode.dev/v1beta1 Drink is deprecated; use v1\n')
    const version = ['get', 'drinks.v1beta1.demo.knode.dev', 'old', '-o', 'jsonpath={.apiVersion}']
    assert.equal(await ok(...ns, ...version), 'demo.knode.dev/v1beta1')
  })

  test('watches', async () => {
    const ns = await inNamespace('watched')
    await apply(aDrink('first'), ...ns)
    const watching = kubectl.start([...ns, 'get', 'dr', '-w'])
    await watching.until(/^first /m)
    await apply(aDrink('second'), ...ns)
    await watching.until(/^second /m)
    await ok(...ns, 'delete', 'dr', 'first')
    await watching.until(/^first [^]*^second [^]*^first /m)
    assert.equal(rows(await watching.stop()).filter((row) => row.startsWith('NAME')).length, 1)
  })

  test('waits for a condition and for deletion', async () => {
    const ns = await inNamespace('waiting')
    await apply(aDrink('tea', 'cups: 1', 'finalizers: [demo.knode.dev/wash]'), ...ns)
    const ready = kubectl.start([...ns, 'wait', '--for=condition=Ready', 'drink/tea', patience])
    const tea = await server.client.get<Drink>(drinkId, 'waiting', 'tea')
    assert.ok(tea)
    await server.client.updateStatus({ ...tea, status: { conditions: [{ type: 'Ready', status: 'True' }] } })
    await ready.until(/^drink\.demo\.knode\.dev\/tea condition met$/m)
    assert.equal(withoutAges(await ok(...ns, 'get', 'dr')).at(-1), 'tea | 1 | AGE | True')
    assert.match(await refused([...ns, 'wait', '--for=condition=Sweet', 'drink/tea', '--timeout=1s']), /timed out/)
    const deleted = kubectl.start([...ns, 'delete', 'drink', 'tea', patience])
    await deleted.until(/"tea" deleted/)
    const free = [{ op: 'remove', path: '/metadata/finalizers' }]
    await ok(...ns, 'patch', 'drink', 'tea', '--type=json', '-p', JSON.stringify(free))
    await deleted.stop()
    assert.match(await refused([...ns, 'get', 'drink', 'tea']), /NotFound/)
    // Newer clients ask for one stream in place of list and watch.
    const env = { KUBE_FEATURE_WatchListClient: 'true' }
    await apply(aConfigMap('c', '1'), ...ns)
    const named = ['wait', '--for=jsonpath={.data.key}=1', 'cm/c', patience]
    assert.equal(await kubectl.ok([...ns, ...named], { env }), 'configmap/c condition met\n')
  })

  test('patches, labels, annotates, edits and replaces', async () => {
    const ns = await inNamespace('patched')
    await apply(`${aDrink('tea')}---\n${aConfigMap('c', '1')}`, ...ns)
    await ok(...ns, 'patch', 'drink', 'tea', '--type=merge', '-p', '{"spec":{"cups":4}}')
    await ok(
      ...ns,
      'patch',
      'drink',
      'tea',
      '--type=json',
      '-p',
      '[{"op":"add","path":"/spec/flavours","value":["a"]}]',
    )
    await ok(...ns, 'patch', 'cm', 'c', '-p', '{"data":{"more":"x"}}')
    assert.match(
      await refused([...ns, 'patch', 'drink', 'tea', '-p', '{}']),
      /^error: application\/strategic-merge-patch\+json is not supported by demo\.knode\.dev\/v1, Kind=Drink/,
    )
    assert.equal(await ok(...ns, 'label', 'dr', 'tea', 'hot=yes'), 'drink.demo.knode.dev/tea labeled\n')
    assert.equal(await ok(...ns, 'annotate', 'dr', 'tea', 'note=x'), 'drink.demo.knode.dev/tea annotated\n')
    const edited = await kubectl.ok([...ns, 'edit', 'drink', 'tea'], {
      env: { KUBE_EDITOR: "sed -i 's/cups: .*/cups: 7/'" },
    })
    assert.equal(edited, 'drink.demo.knode.dev/tea edited\n')
    const seen = 'jsonpath={.spec} {.metadata.labels.hot} {.metadata.annotations.note}'
    assert.equal(await ok(...ns, 'get', 'dr', 'tea', '-o', seen), '{"cups":7,"flavours":["a"]} yes x')
    const live = await ok(...ns, 'get', 'dr', 'tea', '-o', 'yaml')
    const replaced = await kubectl.ok([...ns, 'replace', '-f', '-'], { stdin: live.replace('cups: 7', 'cups: 8') })
    assert.equal(replaced, 'drink.demo.knode.dev/tea replaced\n')
    assert.match(
      await refused([...ns, 'replace', '-f', '-'], live),
      /the object has been modified; please apply your changes to the latest version and try again/,
    )
  })

  test('runs dry and tells differences without changing anything', async () => {
    const ns = await inNamespace('dry')
    await apply(aDrink('tea'), ...ns)
    assert.match(await apply(aDrink('tea', 'cups: 9'), ...ns, '--dry-run=server'), /configured \(server dry run\)/)
    const { code, stdout } = await kubectl.run([...ns, 'diff', '-f', '-'], { stdin: aDrink('tea', 'cups: 9') })
    assert.equal(code, 1)
    assert.match(stdout, /^- {2}cups: 2\n\+ {2}cups: 9$/m)
    assert.equal((await kubectl.run([...ns, 'diff', '-f', '-'], { stdin: aDrink('tea') })).code, 0)
    assert.equal(await ok(...ns, 'get', 'dr', 'tea', '-o', 'jsonpath={.spec.cups}'), '2')
  })

  test('explains kinds and describes objects with their Events', async () => {
    const ns = await inNamespace('explained')
    assert.match(await ok('explain', 'drink'), /DESCRIPTION:\n +Something against thirst\./)
    assert.match(await ok('explain', 'drink.spec.cups'), /FIELD: cups <integer>[^]*How many cups\./)
    assert.match(await ok('explain', 'cm.metadata.labels', '--recursive'), /FIELD: labels <map\[string\]string>/)
    assert.match(await ok('explain', 'svc.spec.ports'), /targetPort\s<IntOrString>[^]*Number or name of the port/)
    await apply(aDrink('tea'), ...ns)
    const { uid } = (await server.client.get<Drink>(drinkId, 'explained', 'tea'))!.metadata
    const event = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: 'tea.Received.1', namespace: 'explained' },
      involvedObject: { kind: 'Drink', apiVersion: 'demo.knode.dev/v1', name: 'tea', namespace: 'explained', uid },
      reason: 'Poured',
      message: 'two cups',
      type: 'Normal',
      firstTimestamp: new Date().toISOString(),
      lastTimestamp: new Date().toISOString(),
      source: { component: 'waiter' },
    }
    await kubectl.ok(['create', '-f', '-'], { stdin: JSON.stringify(event) })
    assert.match(await ok(...ns, 'describe', 'dr', 'tea'), /Normal +Poured +\d\S* +waiter +two cups/)
    assert.equal(
      withoutAges(await ok(...ns, 'get', 'ev'))
        .join('\n')
        .includes('AGE | Normal | Poured | drink/tea | two cups'),
      true,
    )
    assert.match(await ok(...ns, 'events', '--for', 'drink/tea'), /Poured/)
  })

  test('refuses what is wrong in the words its users know', async () => {
    const ns = await inNamespace('wrong')
    const applied = (manifest: string, ...args: string[]): Promise<string> =>
      refused(['apply', ...ns, '-f', '-', ...args], manifest)
    assert.equal(
      await applied(aDrink('tea', 'cup: 1\n  cups: 1\n  sugar: 2')),
      'Error from server (BadRequest): error when creating "STDIN": Drink in version "v1" cannot be handled as a Drink: ' +
        'strict decoding error: unknown field "spec.cup", unknown field "spec.sugar"\n',
    )
    assert.equal(
      await applied(aDrink('tea', 'flavours: []')),
      'The Drink "tea" is invalid: spec.cups: Required value\n',
    )
    assert.equal(
      await applied(aDrink('tea', 'cups: many\n  flavours: x')),
      'The Drink "tea" is invalid: \n' +
        '* spec.cups: Invalid value: "string": spec.cups in body must be of type integer: "string"\n' +
        '* spec.flavours: Invalid value: "string": spec.flavours in body must be of type array: "string"\n',
    )
    assert.equal(
      await applied(aDrink('tea').replace('kind: Drink', 'kind: Drunk')),
      'error: resource mapping not found for name: "tea" namespace: "" from "STDIN": ' +
        'no matches for kind "Drunk" in version "demo.knode.dev/v1"\nensure CRDs are installed first\n',
    )
    assert.match(await applied('apiVersion: v1\nkind: a: b'), /error converting YAML to JSON/)
    assert.match(await refused(['get', 'nonsense']), /the server doesn't have a resource type "nonsense"/)
    assert.equal(
      await refused([...ns, 'get', 'dr', 'beer']),
      'Error from server (NotFound): drinks.demo.knode.dev "beer" not found\n',
    )
    assert.match(await refused(['-n', 'nowhere', 'create', 'cm', 'c']), /namespaces "nowhere" not found/)
    assert.match(await refused(['delete', 'ns', 'default']), /namespaces "default" is forbidden/)
    assert.match(await refused(['get', 'ns', '--token', 'wrong']), /You must be logged in to the server/)
    const { code, stderr } = await kubectl.run(['apply', ...ns, '-f', '-', '--validate=warn'], {
      stdin: aDrink('tea', 'cups: 1\n  cup: 1'),
    })
    assert.deepEqual([code, stderr], [0, 'Warning: unknown field "spec.cup"\n'])
  })

  test('lists the kinds as CRDs, by label, read-only', async () => {
    assert.match(await ok('get', 'crd'), /^drinks\.demo\.knode\.dev +\d{4}-\d\d-\d\dT/m)
    const source = ['get', 'crd', '-l', 'duck.knative.dev/source=true', '-o', 'name']
    assert.equal(await ok(...source), 'customresourcedefinition.apiextensions.k8s.io/drinks.demo.knode.dev\n')
    const established = ['wait', '--for=condition=Established', 'crd/drinks.demo.knode.dev', patience]
    assert.match(await ok(...established), /condition met/)
    assert.match(
      await refused(['delete', 'crd', 'drinks.demo.knode.dev']),
      /delete is not supported on resources of kind/,
    )
  })

  test('deletes by file, by label and whole namespaces', async () => {
    const ns = await inNamespace('deleted')
    await apply(`${aDrink('a', 'cups: 1', 'labels: {x: a}')}---\n${aConfigMap('c', '1')}---\n${aDrink('b')}`, ...ns)
    assert.equal(await ok(...ns, 'delete', 'dr', '-l', 'x=a'), 'drink.demo.knode.dev "a" deleted\n')
    const file = await kubectl.file('c.yaml', aConfigMap('c', '1'))
    assert.equal(await ok(...ns, 'delete', '-f', file), 'configmap "c" deleted\n')
    assert.match(await refused([...ns, 'delete', '-f', file]), /configmaps "c" not found/)
    assert.equal(await ok(...ns, 'delete', '-f', file, '--ignore-not-found'), '')
    assert.equal(await ok('delete', 'ns', 'deleted', patience), 'namespace "deleted" deleted\n')
    assert.equal(await server.client.get(drinkId, 'deleted', 'b'), undefined)
  })
})
