import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Condition } from '../../../model/duck/types.ts'
import type { Pod } from '../../../model/kubernetes/pod/pod.ts'
import type { Resource } from '../../../model/kubernetes/resource.ts'
import { StatusError } from '../../../model/kubernetes/status-error.ts'
import type { DeploymentCondition } from '../../apps/deployment/schema.ts'
import type { PodAutoscaler } from '../../autoscaling/pod-autoscaler/schema.ts'
import { aDeployment, aPod, aRevision, aScaler, available, condition, find, resolved, run } from './test-objects.ts'

test('an initial scale that was never achieved fails the Revision', async () => {
  const object = aRevision()
  const idle = condition('Ready', 'False', 'NoTraffic', 'none')
  const scaler = aScaler(object, { conditions: [idle, condition('ScaleTargetInitialized', 'Unknown')] })
  const outcome = await run(object, [aDeployment(object, { conditions: available }, 0), scaler])
  assert.deepEqual(outcome.condition('ResourcesAvailable'), {
    status: 'False',
    reason: 'ProgressDeadlineExceeded',
    message: 'Initial scale was never achieved',
  })
  assert.equal(outcome.condition('Ready')?.status, 'False')
  // The next request may try again.
  assert.equal(outcome.trouble, null)
})

test('what the Deployment says of its Pods, the Revision repeats', async () => {
  const object = aRevision()
  const deadline = 'ReplicaSet "x" has timed out progressing.'
  const rows: [DeploymentCondition[], Partial<Condition>][] = [
    [[], { status: 'Unknown', reason: 'Deploying' }],
    [
      [{ type: 'Progressing', status: 'Unknown', reason: 'Paused', message: 'paused' }],
      { status: 'Unknown', reason: 'Paused', message: 'paused' },
    ],
    [
      [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', message: deadline }],
      { status: 'False', reason: 'ProgressDeadlineExceeded', message: deadline },
    ],
    [
      [
        { type: 'Progressing', status: 'False', reason: 'Late', message: 'late' },
        { type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: 'quota' },
      ],
      { status: 'False', reason: 'FailedCreate', message: 'quota' },
    ],
  ]
  const scaler = aScaler(object, { conditions: [condition('Ready', 'Unknown', 'Queued', 'it waits')] })
  for (const [conditions, expected] of rows) {
    const outcome = await run(object, [aDeployment(object, { conditions }), scaler])
    assert.deepEqual(outcome.condition('ResourcesAvailable'), expected)
  }
})

test('a program that ends says with which code, and with its last words', async () => {
  const object = aRevision()
  const deployment = aDeployment(object, { conditions: [] })
  const rows: [exitCode: number, message: string | undefined, Partial<Condition>][] = [
    [5, 'boom', { status: 'False', reason: 'ExitCode5', message: 'Container failed with: boom' }],
    [
      0,
      undefined,
      { status: 'False', reason: 'ExitCode0', message: 'Container failed with: container exited with no error' },
    ],
    [0, 'bye', { status: 'False', reason: 'ExitCode0', message: 'Container failed with: bye' }],
    [137, '100% full', { status: 'False', reason: 'ExitCode137', message: 'Container failed with: 100% full' }],
  ]
  for (const [exitCode, message, expected] of rows) {
    const terminated = { exitCode, ...(message === undefined ? {} : { message }) }
    const pod = aPod(deployment, { running: {} }, { lastState: { terminated }, restartCount: 1 })
    const outcome = await run(object, [deployment, pod])
    assert.deepEqual(outcome.condition('ContainerHealthy'), expected)
    assert.equal(outcome.condition('Ready')?.status, 'False')
    // It may still come up: whoever waits goes on waiting.
    assert.equal(outcome.trouble, null)
  }
})

test('nobody waits for a program that has failed three times in a row', async () => {
  const object = aRevision()
  const deployment = aDeployment(object, { conditions: [] })
  const crashing = (restartCount: number): Pod =>
    aPod(
      deployment,
      { waiting: { reason: 'CrashLoopBackOff', message: 'back-off' } },
      { lastState: { terminated: { exitCode: 1, message: 'no' } }, restartCount },
    )
  assert.equal((await run(object, [deployment, crashing(1)])).trouble, null)
  assert.equal((await run(object, [deployment, crashing(2)])).trouble, 'Container failed with: no')
  const fresh = { ...aPod(deployment, { waiting: { reason: 'ContainerCreating' } }) }
  fresh.metadata = { ...fresh.metadata, name: 'another' }
  assert.equal((await run(object, [deployment, crashing(2), fresh])).trouble, null)
})

test('a container that cannot be made says why at once, and nobody waits for it', async () => {
  const object = aRevision()
  const deployment = aDeployment(object, { conditions: [] })
  for (const [reason, message, trouble] of [
    ['CreateContainerConfigError', 'configmap "x" not found', 'configmap "x" not found'],
    ['ImagePullBackOff', 'Back-off pulling image', 'Back-off pulling image'],
    ['ErrImagePull', 'not found', null],
  ] as const) {
    const outcome = await run(object, [deployment, aPod(deployment, { waiting: { reason, message } })])
    assert.deepEqual(outcome.condition('ResourcesAvailable'), { status: 'False', reason, message })
    assert.equal(outcome.trouble, trouble)
  }
})

test('what only takes long is not told as a failure before the deadline', async () => {
  const object = aRevision()
  const waiting = { reason: 'ContainerCreating', message: 'pulling' }
  const inTime = aDeployment(object, { conditions: [] })
  const outcome = await run(object, [inTime, aPod(inTime, { waiting })])
  assert.equal(outcome.condition('ResourcesAvailable')?.status, 'Unknown')
  const late = aDeployment(object, {
    conditions: [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', message: 'late' }],
  })
  const after = await run(object, [late, aPod(late, { waiting })])
  assert.deepEqual(after.condition('ResourcesAvailable'), { status: 'False', ...waiting })
  assert.equal(after.trouble, 'pulling')
})

test('a program that listens elsewhere is told of before the deadline, and to those who wait after it', async () => {
  const object = aRevision()
  const hint = 'listens on 9000, not on PORT 8080'
  const ready = (message: string): Pod['status'] => ({
    conditions: [{ type: 'Ready', status: 'False', reason: 'ContainersNotReady', message }],
  })
  const late: DeploymentCondition = { type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' }
  const outcomes: [DeploymentCondition[], string, string | undefined, string | null][] = [
    [[], 'containers with unready status: [user-container]', undefined, null],
    [[], `containers with unready status: [user-container]: ${hint}`, hint, null],
    [[late], `containers with unready status: [user-container]: ${hint}`, hint, hint],
    [[late], 'containers with unready status: [user-container]', undefined, 'Initial scale was never achieved'],
  ]
  for (const [conditions, message, told, trouble] of outcomes) {
    const deployment = aDeployment(object, { conditions })
    const pod = aPod(deployment, { running: {} })
    const outcome = await run(object, [deployment, { ...pod, status: { ...pod.status, ...ready(message) } }])
    assert.equal(outcome.condition('ContainerHealthy')?.message, told)
    assert.equal(outcome.trouble, trouble)
  }
})

test('a failed Revision without any ready instance is unreachable for the autoscaler', async () => {
  const labels = { 'serving.knative.dev/routingState': 'active' }
  const object = aRevision({}, { labels })
  const deployment = aDeployment(object, { conditions: [] })
  const pod = aPod(deployment, { waiting: {} }, { lastState: { terminated: { exitCode: 1 } } })
  const failed = await run(object, [deployment, pod, aScaler(object)])
  assert.equal((await find<PodAutoscaler>(failed, 'PodAutoscaler')).spec.reachability, 'Unreachable')
  const reserve = aRevision({}, { labels: { 'serving.knative.dev/routingState': 'reserve' } })
  const spare = await run(reserve, [aDeployment(reserve), aScaler(reserve)])
  assert.equal((await find<PodAutoscaler>(spare, 'PodAutoscaler')).spec.reachability, 'Unreachable')
})

test('an instance that is ready again makes up for those that failed', async () => {
  const object = aRevision(
    {},
    {},
    { ...resolved, conditions: [condition('ContainerHealthy', 'False', 'ExitCode1', 'x')] },
  )
  const outcome = await run(object, [aDeployment(object), aScaler(object)])
  assert.equal(outcome.condition('ContainerHealthy')?.status, 'True')
  assert.equal(outcome.condition('Ready')?.status, 'True')
})

test('a Deployment that the API refuses fails the Revision, and is tried again', async () => {
  const refusal = new StatusError(422, 'Invalid', 'Deployment.apps "x" is invalid')
  const client = {
    create: (child: Resource) => (child.kind === 'Deployment' ? Promise.reject(refusal) : child),
    get: () => Promise.resolve(undefined),
  }
  const outcome = await run(aRevision(), [], { deps: { client: client as never } })
  assert.equal(outcome.thrown, refusal)
  assert.deepEqual(outcome.condition('ResourcesAvailable'), {
    status: 'False',
    reason: 'FailedCreate',
    message: 'Deployment.apps "x" is invalid',
  })
})
