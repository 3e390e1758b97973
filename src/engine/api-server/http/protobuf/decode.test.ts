// What the protobuf of kubectl and of Go's clients says.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeProtobuf, isProtobuf, UnknownMessageError } from './decode.ts'
import { messages } from './messages.ts'
import { envelope, meta } from './test-messages.ts'
import type { Part } from './test-messages.ts'

test('a ConfigMap as kubectl create sends it: zero values of Go vanish, empty entries stay', () => {
  const body = envelope('v1', 'ConfigMap', [
    meta('c'),
    [
      2,
      [
        [1, 'k'],
        [2, 'v'],
      ],
    ],
    [
      2,
      [
        [1, 'empty'],
        [2, ''],
      ],
    ],
    [2, [[1, 'bare']]],
    [
      3,
      [
        [1, 'bin'],
        [2, Buffer.from([0, 255])],
      ],
    ],
    [4, 0],
  ])
  assert.ok(isProtobuf(body))
  assert.deepEqual(decodeProtobuf(body), {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'c', labels: { app: '' } },
    data: { k: 'v', empty: '', bare: '' },
    binaryData: { bin: 'AP8=' },
    immutable: false,
  })
})

test('times keep their precision, and an empty Time is absent', () => {
  const seconds = Date.UTC(2026, 0, 2, 3, 4, 5) / 1000
  const body = envelope('coordination.k8s.io/v1', 'Lease', [
    [
      1,
      [
        [
          8,
          [
            [1, seconds],
            [2, 7],
          ],
        ],
        [9, []],
      ],
    ],
    [
      2,
      [
        [2, 15],
        [
          3,
          [
            [1, seconds],
            [2, 42_000],
          ],
        ],
        [4, [[1, -1n]]],
      ],
    ],
  ])
  const lease = decodeProtobuf(body) as { metadata: object; spec: object }
  assert.deepEqual(lease.metadata, { creationTimestamp: '2026-01-02T03:04:05Z' })
  assert.deepEqual(lease.spec, {
    leaseDurationSeconds: 15,
    acquireTime: '2026-01-02T03:04:05.000042Z',
    renewTime: '1969-12-31T23:59:59.000000Z',
  })
})

test('a Service decodes ports that are numbers and ports that are names', () => {
  const port = (target: Part[]): Part => [
    1,
    [
      [1, 'http'],
      [3, 80],
      [4, target],
    ],
  ]
  const body = envelope('v1', 'Service', [
    meta('s'),
    [
      2,
      [
        port([
          [1, 0],
          [2, 8080],
          [3, ''],
        ]),
        port([
          [1, 1],
          [2, 0],
          [3, 'web'],
        ]),
      ],
    ],
  ])
  const { spec } = decodeProtobuf(body) as { spec: { ports: { targetPort: unknown }[] } }
  assert.deepEqual(
    spec.ports.map(({ targetPort }) => targetPort),
    [8080, 'web'],
  )
})

test('delete options, lists and raw JSON are read', () => {
  assert.deepEqual(
    decodeProtobuf(
      envelope('v1', 'DeleteOptions', [
        [1, 0],
        [2, [[1, 'u']]],
        [4, 'Foreground'],
        [5, 'All'],
      ]),
    ),
    {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      gracePeriodSeconds: 0,
      preconditions: { uid: 'u' },
      propagationPolicy: 'Foreground',
      dryRun: ['All'],
    },
  )
  const managed = envelope('v1', 'Namespace', [
    [
      1,
      [
        [
          17,
          [
            [1, 'm'],
            [7, [[1, '{"f:a":{}}']]],
          ],
        ],
      ],
    ],
  ])
  assert.deepEqual(decodeProtobuf(managed)['metadata'], { managedFields: [{ manager: 'm', fieldsV1: { 'f:a': {} } }] })
  const review = envelope('authorization.k8s.io/v1', 'SubjectAccessReview', [
    [
      2,
      [
        [
          5,
          [
            [1, 'scopes'],
            [
              2,
              [
                [1, 'a'],
                [1, 'b'],
              ],
            ],
          ],
        ],
      ],
    ],
  ])
  assert.deepEqual(decodeProtobuf(review)['spec'], { extra: { scopes: ['a', 'b'] } })
})

test('what Go embeds in a Pod’s parts is told as their own, quantities as texts', () => {
  const container: Part[] = [
    [1, 'app'],
    [2, 'nginx:1'],
    [
      7,
      [
        [1, 'COLOR'],
        [2, ''],
        [
          3,
          [
            [
              3,
              [
                [1, [[1, 'settings']]],
                [2, 'color'],
                [3, 0],
              ],
            ],
          ],
        ],
      ],
    ],
    [
      8,
      [
        [
          1,
          [
            [1, 'memory'],
            [2, [[1, '64Mi']]],
          ],
        ],
      ],
    ],
    [
      11,
      [
        [
          1,
          [
            [
              2,
              [
                [1, '/healthz'],
                [
                  2,
                  [
                    [1, 0],
                    [2, 8080],
                  ],
                ],
              ],
            ],
          ],
        ],
        [4, 7],
      ],
    ],
  ]
  const volume: Part[] = [
    [1, 'data'],
    [2, [[19, [[1, [[1, 'settings']]]]]]],
  ]
  const template: Part[] = [
    [
      1,
      [
        [7, 0],
        [8, []],
      ],
    ],
    [
      2,
      [
        [1, volume],
        [2, container],
      ],
    ],
  ]
  const spec: Part[] = [
    [1, 2],
    [3, template],
  ]
  assert.deepEqual(decodeProtobuf(envelope('apps/v1', 'Deployment', [meta('web'), [2, spec]]))['spec'], {
    replicas: 2,
    template: {
      metadata: {},
      spec: {
        volumes: [{ name: 'data', configMap: { name: 'settings' } }],
        containers: [
          {
            name: 'app',
            image: 'nginx:1',
            env: [
              { name: 'COLOR', valueFrom: { configMapKeyRef: { name: 'settings', key: 'color', optional: false } } },
            ],
            resources: { limits: { memory: '64Mi' } },
            readinessProbe: { httpGet: { path: '/healthz', port: 8080 }, periodSeconds: 7 },
          },
        ],
      },
    },
  })
})

test('an unknown kind and cut-off bytes are errors', () => {
  assert.throws(() => decodeProtobuf(envelope('apps/v1', 'StatefulSet', [])), UnknownMessageError)
  const body = envelope('v1', 'ConfigMap', [meta('c')])
  assert.throws(() => decodeProtobuf(body.subarray(0, body.length - 9)), RangeError)
  assert.throws(() => decodeProtobuf(Buffer.from('{}')), RangeError)
})

test('every message a field refers to is in the table', () => {
  const scalars = [
    'string',
    'integer',
    'boolean',
    'bytes',
    'Time',
    'MicroTime',
    'IntOrString',
    'Quantity',
    'FieldsV1',
    'ExtraValue',
  ]
  for (const [name, message] of Object.entries(messages)) {
    for (const field of message.values()) {
      assert.ok(scalars.includes(field.type) || field.type in messages, `${name}.${field.name}: ${field.type}`)
    }
  }
})
