// Child of store-kill.test.ts: writes objects as fast as it can and tells each step, until it is killed.
import { writeSync } from 'node:fs'
import type { Resource } from '../../src/model/kubernetes/resource.ts'
import { openJournalStore } from '../../src/ports/resource-store/journal/open.ts'

const [directory = '', life = ''] = process.argv.slice(2)
const writers = 6
const namesPerWriter = 10

/** Text that a given write stores: long enough to cross disk blocks, different for each write. */
const textOf = (value: string): string => `${value} ${'渴了'.repeat(Number.parseInt(value.slice(-3), 16) || 1)}`

const store = await openJournalStore({ directory, outdatedBytesMax: 200_000 })

async function write(writer: number): Promise<never> {
  for (let count = 0; ; count++) {
    const name = `writer-${writer}-${count % namesPerWriter}`
    const key = { resource: 'configmaps', namespace: 'default', name }
    const value = count % 7 === 6 ? 'none' : `${life}-${count.toString(16).padStart(3, '0')}`
    // Synchronous: what was told before the kill reaches the parent.
    writeSync(1, `begin ${name} ${value}\n`)
    if (value === 'none') await store.delete(key)
    else await store.put(key, aConfigMap(name, textOf(value)))
    writeSync(1, `done ${name} ${value}\n`)
  }
}

const aConfigMap = (name: string, text: string): Resource => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default' },
  spec: { text },
})

await Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)))
