import assert from 'node:assert/strict'
import { test } from 'node:test'
import { servingConfigObjection } from './check.ts'

test('of a ConfigMap called `constructor` nothing is known', () => {
  assert.equal(
    servingConfigObjection('constructor', { _example: '' }, { 'knative.dev/example-checksum': 'x' }),
    undefined,
  )
})

test('values that Serving’s ConfigMaps cannot have are refused in upstream’s words', () => {
  const window = 'failed to parse data: failed to parse "stable-window": time: invalid duration "60"'
  const rows: [map: string, data: Record<string, string>, expected: string | undefined][] = [
    ['config-autoscaler', { 'stable-window': '60' }, window],
    ['config-autoscaler', { 'stable-window': '1s' }, 'stable-window = 1s, must be in [6s; 1h0m0s] range'],
    [
      'config-autoscaler',
      { 'stable-window': '6500ms' },
      'stable-window = 6.5s, must be specified with at most second precision',
    ],
    [
      'config-autoscaler',
      { 'enable-scale-to-zero': 'maybe' },
      'failed to parse data: failed to parse "enable-scale-to-zero": strconv.ParseBool: parsing "maybe": invalid syntax',
    ],
    [
      'config-autoscaler',
      { 'container-concurrency-target-percentage': '101' },
      'container-concurrency-target-percentage = 1.010000 is outside of valid range of (0, 100]',
    ],
    ['config-autoscaler', { 'container-concurrency-target-percentage': '0.7' }, undefined],
    [
      'config-autoscaler',
      { 'target-burst-capacity': '-2' },
      'target-burst-capacity must be either non-negative or -1 (for unlimited), was: -2.000000',
    ],
    [
      'config-autoscaler',
      { 'initial-scale': '0' },
      'initial-scale = 0, must be at least 0 (or at least 1 when allow-zero-initial-scale is false)',
    ],
    ['config-autoscaler', { 'initial-scale': '0', 'allow-zero-initial-scale': 'true' }, undefined],
    ['config-autoscaler', { 'max-scale-limit': '5' }, 'max-scale = 0, must be in [1, max-scale-limit(5)] range'],
    ['config-autoscaler', { 'max-scale-up-rate': '1' }, 'max-scale-up-rate = 1, must be greater than 1.0'],
    ['config-autoscaler', { 'min-scale': '3', 'max-scale': '2' }, 'min-scale (3) must be less than max-scale (2)'],
    [
      'config-defaults',
      { 'revision-timeout-seconds': '700' },
      'revision-timeout-seconds (700) cannot be greater than max-revision-timeout-seconds (600)',
    ],
    [
      'config-defaults',
      { 'revision-response-start-timeout-seconds': '301' },
      'revision-response-start-timeout-seconds (301) cannot be greater than revision-timeout-seconds (300)',
    ],
    ['config-defaults', { 'revision-timeout-seconds': '100' }, undefined],
    ['config-defaults', { 'container-concurrency': '1001' }, 'expected 0 <= 1001 <= 1000: container-concurrency'],
    [
      'config-defaults',
      { 'container-concurrency-max-limit': '0' },
      'expected 1 <= 0 <= 2147483647: container-concurrency-max-limit',
    ],
    [
      'config-defaults',
      { 'revision-memory-limit': 'much' },
      'failed to parse "revision-memory-limit": quantities must match the regular expression ' +
        "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    ],
    ['config-deployment', { 'progress-deadline': '0s' }, 'progress-deadline cannot be a non-positive duration, was 0s'],
    [
      'config-deployment',
      { 'progress-deadline': '1500ms' },
      'progress-deadline must be rounded to a whole second, was: 1.5s',
    ],
    ['config-deployment', { 'default-affinity-type': 'spread' }, 'unsupported default-affinity-type value: "spread"'],
    [
      'config-gc',
      { 'retain-since-create-time': '-1h' },
      'failed to parse retain-since-create-time: must be non-negative',
    ],
    [
      'config-gc',
      { 'max-non-active-revisions': '5' },
      'min-non-active-revisions(20) must be <= max-non-active-revisions(5)',
    ],
    ['config-gc', { 'max-non-active-revisions': 'Disabled', 'retain-since-create-time': 'disabled' }, undefined],
    ['config-network', { 'rollout-duration': '-1' }, 'rollout-duration must be a positive integer, but was -1'],
    ['config-network', { 'domain-template': '{{.Name}}.x/{{.Namespace}}' }, 'domain template has url path: /bar'],
    [
      'config-network',
      { 'namespace-wildcard-cert-selector': '{matchExpressions: [{key: a, operator: Near}]}' },
      '"Near" is not a valid label selector operator',
    ],
    [
      'config-network',
      { 'namespace-wildcard-cert-selector': 'everybody' },
      'namespace-wildcard-cert-selector is no label selector in YAML',
    ],
    ['config-network', { 'http-protocol': 'gone' }, 'httpProtocol gone in config-network ConfigMap is not supported'],
    [
      'config-network',
      { 'system-internal-tls': 'on' },
      'system-internal-tls with value: "on" in config-network ConfigMap is not supported',
    ],
    ['config-features', { 'multi-container': 'nonsense' }, undefined],
    ['config-observability', { 'metrics-protocol': 'grpc' }, 'endpoint should be set when protocol is "grpc"'],
    ['config-observability', { 'tracing-protocol': 'zipkin' }, 'unsupported protocol "zipkin"'],
    [
      'config-observability',
      { 'tracing-sampling-rate': '1.5' },
      'sampling rate 1.500000 should be less than or equal to one',
    ],
    ['config-leader-election', { buckets: '0' }, 'buckets: value must be between 1 <= 0 <= 10'],
    ['somebody-elses', { 'stable-window': 'x' }, undefined],
  ]
  for (const [name, data, expected] of rows) {
    assert.equal(servingConfigObjection(name, data), expected, `${name} ${JSON.stringify(data)}`)
  }
  assert.match(
    servingConfigObjection('config-network', { 'tag-template': '{{.Tag' }) ?? '',
    /^template: tag-template: /,
  )
  assert.match(
    servingConfigObjection('config-observability', { 'logging.request-log-template': '{{.Request' }) ?? '',
    /^template: requestLog: /,
  )
  assert.match(servingConfigObjection('config-domain', { 'a.b': 'selector: x' }) ?? '', /domain a\.b/)
})

test('an edited example is refused: it is no setting', () => {
  const annotations = { 'knative.dev/example-checksum': '0fbf2e82' }
  const text =
    'the update modifies a key in "_example" which is probably not what you want. Instead, copy the respective setting ' +
    'to the top-level of the ConfigMap, directly below "data"'
  assert.equal(servingConfigObjection('config-gc', { _example: 'edited' }, annotations), text)
  assert.equal(servingConfigObjection('config-gc', { _example: 'edited' }), undefined)
  // Blank lines, line ends and the space around count for nothing. Source: knative/pkg configmap/example_test.go.
  for (const [example, checksum] of [
    ['a somewhat\r\n\r\nlonger\n\ntext', '2b4ed320'],
    ['  a somewhat longer test\t', 'fefe6f72'],
    ['', '00000000'],
  ] as const) {
    const rightly = { 'knative.dev/example-checksum': checksum }
    assert.equal(servingConfigObjection('config-gc', { _example: example }, rightly), undefined)
  }
})
