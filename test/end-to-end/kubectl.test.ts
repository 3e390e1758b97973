// The real kubectl against the API: what its users ask for, and what they read back.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Drink } from '../harness/drink.ts'
import { aConfigMap, aDrink, drinkId, kubectlBed, rows, unlessKubectl, withoutAges } from '../harness/kubectl-bed.ts'
import { patience } from '../harness/kubectl.ts'

describe('kubectl', unlessKubectl, () => {
  const bed = kubectlBed()
  const { ok, apply, refused, inNamespace } = bed

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
    const { stderr } = await bed.kubectl.run(['apply', '-f', '-', ...ns], { stdin: old })
    assert.equal(stderr, 'Warning: demo.knode.dev/v1beta1 Drink is deprecated; use v1\n')
    const version = ['get', 'drinks.v1beta1.demo.knode.dev', 'old', '-o', 'jsonpath={.apiVersion}']
    assert.equal(await ok(...ns, ...version), 'demo.knode.dev/v1beta1')
  })

  test('watches', async () => {
    const ns = await inNamespace('watched')
    await apply(aDrink('first'), ...ns)
    const watching = bed.kubectl.start([...ns, 'get', 'dr', '-w'])
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
    const ready = bed.kubectl.start([...ns, 'wait', '--for=condition=Ready', 'drink/tea', patience])
    const tea = await bed.server.client.get<Drink>(drinkId, 'waiting', 'tea')
    assert.ok(tea)
    await bed.server.client.updateStatus({ ...tea, status: { conditions: [{ type: 'Ready', status: 'True' }] } })
    await ready.until(/^drink\.demo\.knode\.dev\/tea condition met$/m)
    assert.equal(withoutAges(await ok(...ns, 'get', 'dr')).at(-1), 'tea | 1 | AGE | True')
    assert.match(await refused([...ns, 'wait', '--for=condition=Sweet', 'drink/tea', '--timeout=1s']), /timed out/)
    const deleted = bed.kubectl.start([...ns, 'delete', 'drink', 'tea', patience])
    await deleted.until(/"tea" deleted/)
    const free = [{ op: 'remove', path: '/metadata/finalizers' }]
    await ok(...ns, 'patch', 'drink', 'tea', '--type=json', '-p', JSON.stringify(free))
    await deleted.stop()
    assert.match(await refused([...ns, 'get', 'drink', 'tea']), /NotFound/)
    // Newer clients ask for one stream in place of list and watch.
    const env = { KUBE_FEATURE_WatchListClient: 'true' }
    await apply(aConfigMap('c', '1'), ...ns)
    const named = ['wait', '--for=jsonpath={.data.key}=1', 'cm/c', patience]
    assert.equal(await bed.kubectl.ok([...ns, ...named], { env }), 'configmap/c condition met\n')
  })

  test('explains kinds and describes objects with their Events', async () => {
    const ns = await inNamespace('explained')
    assert.match(await ok('explain', 'drink'), /DESCRIPTION:\n +Something against thirst\./)
    assert.match(await ok('explain', 'drink.spec.cups'), /FIELD: cups <integer>[^]*How many cups\./)
    assert.match(await ok('explain', 'cm.metadata.labels', '--recursive'), /FIELD: labels <map\[string\]string>/)
    assert.match(await ok('explain', 'svc.spec.ports'), /targetPort\s<IntOrString>[^]*Number or name of the port/)
    await apply(aDrink('tea'), ...ns)
    const { uid } = (await bed.server.client.get<Drink>(drinkId, 'explained', 'tea'))!.metadata
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
    await bed.kubectl.ok(['create', '-f', '-'], { stdin: JSON.stringify(event) })
    assert.match(await ok(...ns, 'describe', 'dr', 'tea'), /Normal +Poured +\d\S* +waiter +two cups/)
    assert.equal(
      withoutAges(await ok(...ns, 'get', 'ev'))
        .join('\n')
        .includes('AGE | Normal | Poured | drink/tea | two cups'),
      true,
    )
    assert.match(await ok(...ns, 'events', '--for', 'drink/tea'), /Poured/)
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
})
