// The real kubectl against the API: what its users create, apply, change and delete, and what is refused.
import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { aConfigMap, aDrink, drinkId, kubectlBed, unlessKubectl, withoutAges } from '../harness/kubectl-bed.ts'
import { patience } from '../harness/kubectl.ts'

describe('kubectl, writing', unlessKubectl, () => {
  const bed = kubectlBed()
  const { ok, apply, refused, inNamespace } = bed

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
    const directory = join(bed.kubectl.directory, 'manifests')
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
    const edited = await bed.kubectl.ok([...ns, 'edit', 'drink', 'tea'], {
      env: { KUBE_EDITOR: "sed -i 's/cups: .*/cups: 7/'" },
    })
    assert.equal(edited, 'drink.demo.knode.dev/tea edited\n')
    const seen = 'jsonpath={.spec} {.metadata.labels.hot} {.metadata.annotations.note}'
    assert.equal(await ok(...ns, 'get', 'dr', 'tea', '-o', seen), '{"cups":7,"flavours":["a"]} yes x')
    const live = await ok(...ns, 'get', 'dr', 'tea', '-o', 'yaml')
    const replaced = await bed.kubectl.ok([...ns, 'replace', '-f', '-'], { stdin: live.replace('cups: 7', 'cups: 8') })
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
    const { code, stdout } = await bed.kubectl.run([...ns, 'diff', '-f', '-'], { stdin: aDrink('tea', 'cups: 9') })
    assert.equal(code, 1)
    assert.match(stdout, /^- {2}cups: 2\n\+ {2}cups: 9$/m)
    assert.equal((await bed.kubectl.run([...ns, 'diff', '-f', '-'], { stdin: aDrink('tea') })).code, 0)
    assert.equal(await ok(...ns, 'get', 'dr', 'tea', '-o', 'jsonpath={.spec.cups}'), '2')
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
    // As Kubernetes has it, Namespaces are never deleted as a collection.
    assert.match(await refused(['delete', '--raw', '/api/v1/namespaces']), /deletecollection is not supported/)
    assert.match(await refused(['get', 'ns', '--token', 'wrong']), /You must be logged in to the server/)
    const { code, stderr } = await bed.kubectl.run(['apply', ...ns, '-f', '-', '--validate=warn'], {
      stdin: aDrink('tea', 'cups: 1\n  cup: 1'),
    })
    assert.deepEqual([code, stderr], [0, 'Warning: unknown field "spec.cup"\n'])
  })

  test('deletes by file, by label and whole namespaces', async () => {
    const ns = await inNamespace('deleted')
    await apply(`${aDrink('a', 'cups: 1', 'labels: {x: a}')}---\n${aConfigMap('c', '1')}---\n${aDrink('b')}`, ...ns)
    assert.equal(await ok(...ns, 'delete', 'dr', '-l', 'x=a'), 'drink.demo.knode.dev "a" deleted\n')
    const file = await bed.kubectl.file('c.yaml', aConfigMap('c', '1'))
    assert.equal(await ok(...ns, 'delete', '-f', file), 'configmap "c" deleted\n')
    assert.match(await refused([...ns, 'delete', '-f', file]), /configmaps "c" not found/)
    assert.equal(await ok(...ns, 'delete', '-f', file, '--ignore-not-found'), '')
    assert.equal(await ok('delete', 'ns', 'deleted', patience), 'namespace "deleted" deleted\n')
    assert.equal(await bed.server.client.get(drinkId, 'deleted', 'b'), undefined)
  })
})
