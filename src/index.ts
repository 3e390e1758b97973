// What `import { … } from 'knode'` gives: Knode as a library, e.g. the mesh inside a test.

export { startKnode } from './app/start-knode.ts'
export type { KnodeOptions, RunningKnode } from './app/start-knode.ts'
export type { Config } from './app/config-schema.ts'
export { KnodeError } from './base/errors.ts'
export type { ErrorCode } from './base/error-codes.ts'
export { FakeClock } from './base/fake-clock.ts'
export { seededRandom } from './base/random.ts'
export type { Clock } from './base/clock.ts'
export type { Random } from './base/random.ts'
export type { Resource } from './model/kubernetes/resource.ts'
export { cloudEvent, withAttributes } from './model/cloudevents/event.ts'
export type { AttributeValue, CloudEvent } from './model/cloudevents/event.ts'
