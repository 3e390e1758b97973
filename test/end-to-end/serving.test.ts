// Services with the real kubectl and real processes: from zero, to zero, split, rolled back, and refused when they are bad.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { eventually, inTime, programPatience } from '../../src/base/eventually.ts'
import { patience } from '../harness/kubectl.ts'
import { burstFromZero, canaryAndRollback } from '../harness/serving-scenarios.ts'
import { aService, inAWorld } from '../harness/serving-world.ts'

describe('a Service', { concurrency: false }, () => {
  it(
    'is what kubectl shows of it: Service, Configuration, Revision, Route, Deployment, Pod',
    inAWorld(async ({ kubectl, apply, ready, ask }) => {
      assert.match(await apply(aService('shop')), /service\.serving\.knative\.dev\/shop created/)
      await ready('shop')
      assert.match((await ask('shop')).body, /^one \d+/)
      const rows = async (kind: string): Promise<string[]> => (await kubectl.ok(['get', kind])).trimEnd().split('\n')
      const [services, service = ''] = await rows('ksvc')
      assert.match(services!, /^NAME +URL +LATESTCREATED +LATESTREADY +READY +REASON$/)
      assert.match(
        service,
        /^shop +http:\/\/shop\.default\.127\.0\.0\.1\.sslip\.io:\d+ +shop-00001 +shop-00001 +True *$/,
      )
      const [revisions, revision = ''] = await rows('revision')
      assert.match(revisions!, /^NAME +CONFIG NAME +GENERATION +READY +REASON +ACTUAL REPLICAS +DESIRED REPLICAS$/)
      assert.match(revision, /^shop-00001 +shop +1 +True +1 +1 *$/)
      const [configurations, configuration = ''] = await rows('configuration')
      assert.match(configurations!, /^NAME +LATESTCREATED +LATESTREADY +READY +REASON$/)
      assert.match(configuration, /^shop +shop-00001 +shop-00001 +True *$/)
      const [routes, route = ''] = await rows('route')
      assert.match(routes!, /^NAME +URL +READY +REASON$/)
      assert.match(route, /^shop +http:\/\/shop\.default\.\S+ +True *$/)
      const [pods, pod = ''] = await rows('pods')
      assert.match(pods!, /^NAME +READY +STATUS +RESTARTS +AGE$/)
      assert.match(pod, /^shop-00001-deployment-\S+-\S+ +1\/1 +Running +0 +\d\S*$/)
      assert.match((await rows('deployment'))[1]!, /^shop-00001-deployment +1\/1 +1 +1 +\d\S*$/)
      assert.match((await rows('kpa'))[1]!, /^shop-00001 +1 +1 +True *$/)
      const logs = kubectl.start(['logs', '-f', '-l', 'serving.knative.dev/service=shop'])
      await logs.until(/listening for shop-00001/)
      await logs.stop()
    }),
  )

  it(
    'serves 300 requests that find it at zero, and goes back to zero',
    inAWorld((world) => burstFromZero(world, {}, 300)),
  )

  it(
    'gives a canary its tenth, its tag an address, and rolls back without losing a request',
    inAWorld((world) => canaryAndRollback(world, {})),
  )

  it(
    'whose new version does not start keeps the old one serving and says why',
    inAWorld(async ({ kubectl, apply, ready, ask }) => {
      await apply(aService('shop'))
      await ready('shop')
      await apply(aService('shop', { command: `sh -c "echo no money >&2; exit 5"` }))
      await kubectl.ok(['wait', '--for=condition=ConfigurationsReady=False', 'ksvc/shop', patience])
      const message = await kubectl.ok([
        'get',
        'ksvc',
        'shop',
        '-o',
        'jsonpath={.status.conditions[?(@.type=="ConfigurationsReady")].message}',
      ])
      assert.match(message, /Revision "shop-00002" failed with message: Container failed with: no money/)
      const reason = await kubectl.ok([
        'get',
        'revision',
        'shop-00002',
        '-o',
        'jsonpath={.status.conditions[?(@.type=="ContainerHealthy")].reason}',
      ])
      assert.equal(reason, 'ExitCode5')
      assert.match((await ask('shop')).body, /^one/)
    }),
  )

  it(
    'is refused when its traffic does not sum to 100, and told what a wrong target is',
    inAWorld(async ({ kubectl, apply, ready, ask }) => {
      const bad = await kubectl.run(['apply', '-f', '-'], {
        stdin: aService('shop', { traffic: [{ latestRevision: true, percent: 90 }] }),
      })
      assert.notEqual(bad.code, 0)
      assert.match(bad.stderr, /Traffic targets sum to 90, want 100: spec\.traffic/)
      await apply(aService('shop'))
      await ready('shop')
      await apply(aService('shop', { traffic: [{ revisionName: 'shop-00009', percent: 100 }] }))
      await kubectl.ok(['wait', '--for=condition=RoutesReady=False', 'ksvc/shop', patience])
      assert.match(
        await kubectl.ok(['describe', 'ksvc', 'shop']),
        /Revision "shop-00009" referenced in traffic not found\./,
      )
      assert.match((await ask('shop')).body, /^one/, 'what was programmed before keeps serving')
    }),
  )

  it(
    'is refused by a dry run on the server where its Pods would be',
    inAWorld(async ({ kubectl }) => {
      const dryRun = (name: string): ReturnType<typeof kubectl.run> =>
        kubectl.run(['apply', '--dry-run=server', '-f', '-'], {
          stdin: aService('shop', { spec: { containers: [{ name, image: 'example.com/hello' }] } }),
        })
      const bad = await dryRun('&InvalidValue')
      assert.notEqual(bad.code, 0)
      assert.match(
        bad.stderr,
        /admission webhook "validation\.webhook\.serving\.knative\.dev" denied the request: validation callback failed: dry run failed with Pod "dry-run-validation" is invalid: spec\.containers\[0\]\.name: .*: spec\.template/,
      )
      assert.match((await dryRun('valid')).stdout, /shop created \(server dry run\)/)
    }),
  )

  it(
    'has its requests logged from when they are asked for, without a restart',
    inAWorld(async ({ kubectl, apply, ready, ask, requestLines, knode }) => {
      await apply(aService('shop'))
      await ready('shop')
      await ask('shop')
      const format = '{{.Request.RequestURI}} {{.Response.Code}} {{.Revision.Service}} {{.Revision.PodName}}'
      const data = { 'logging.enable-request-log': 'true', 'logging.request-log-template': format }
      const patch = ['patch', 'cm', 'config-observability', '-n', 'knative-serving', '--type=merge', '-p']
      await kubectl.ok([...patch, JSON.stringify({ data })])
      await knode.settled()
      await ask('shop', '/cake')
      await eventually(() => requestLines.length > 0, 'the line of the request')
      assert.equal(requestLines.length, 1)
      assert.match(requestLines[0]!, /^\/cake 200 shop shop-00001-deployment-\S+\n$/)
    }),
  )

  it(
    'keeps containerConcurrency, and scales to what is asked of it',
    inAWorld(async ({ kubectl, apply, ready, ask }) => {
      await apply(
        aService('narrow', {
          spec: { containerConcurrency: 2 },
          annotations: { 'autoscaling.knative.dev/max-scale': '4' },
        }),
      )
      await ready('narrow')
      const instances = new Set<string>()
      const asking = async (): Promise<void> => {
        // Asked until there is more than one, however long the machine takes to start it.
        while (instances.size < 2) {
          const { status, headers, body } = await ask('narrow', '/?ms=150')
          assert.equal(status, 200, body)
          const most = Number(headers['in-flight'])
          assert.ok(most >= 1 && most <= 2, `an instance worked on ${most}`)
          instances.add(body.split(' ')[1]!)
        }
      }
      const all = Promise.all(Array.from({ length: 80 }, asking))
      await inTime(all, 'a second instance to answer', programPatience)
      assert.ok(instances.size <= 4, `${instances.size} instances`)
      assert.match(await kubectl.ok(['get', 'pods']), /narrow-00001-deployment/)
    }),
  )
})
