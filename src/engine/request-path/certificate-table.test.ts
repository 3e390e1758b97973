import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createCertificate } from '../../base/certificate.ts'
import { createCertificateTable } from './certificate-table.ts'

const nowMs = Date.now()
const pair = (...hosts: string[]) => createCertificate({ commonName: hosts[0]!, hosts, nowMs })
const [one, two] = [pair('one'), pair('two')]

test('a host has the certificate of whoever had it first; the next one’s turn comes when that one lets go', () => {
  const table = createCertificateTable()
  table.program('a', [{ hosts: ['h', 'i'], pair: one }])
  table.program('b', [{ hosts: ['h'], pair: two }])
  const first = table.find('h')
  assert.ok(first)
  assert.equal(table.find('i'), first, 'one certificate is made ready once')
  table.program('a', [{ hosts: ['i'], pair: one }])
  const second = table.find('h')
  assert.notEqual(second, first)
  table.program('a', [{ hosts: ['h', 'i'], pair: one }])
  assert.equal(table.find('h'), second)
  table.withdraw('b')
  table.withdraw('b')
  assert.notEqual(table.find('h'), second)
  table.withdraw('a')
  assert.deepEqual([table.find('h'), table.find('i')], [undefined, undefined])
})

test('a wildcard is one part, and a host’s own certificate comes before it', () => {
  const table = createCertificateTable()
  table.program('a', [{ hosts: ['*.Example.com'], pair: one }])
  const wild = table.find('a.example.com')
  assert.ok(wild)
  table.program('b', [{ hosts: ['a.example.com'], pair: two }])
  assert.notEqual(table.find('a.example.com'), wild)
  assert.equal(table.find('b.example.com'), wild)
  assert.deepEqual(
    [table.find('example.com'), table.find('a.b.example.com'), table.find('')],
    [undefined, undefined, undefined],
  )
})

test('what was good stays while there is nothing better, and no longer than its host is wanted', () => {
  const table = createCertificateTable()
  table.program('a', [{ hosts: ['h', 'i'] }])
  assert.equal(table.find('h'), undefined)
  table.program('a', [{ hosts: ['h', 'i'], pair: one }])
  const good = table.find('h')
  table.program('a', [{ hosts: ['h'] }])
  assert.deepEqual([table.find('h'), table.find('i')], [good, undefined])
  table.program('a', [{ hosts: ['h'], pair: two }])
  assert.notEqual(table.find('h'), good)
  table.program('a', [])
  assert.equal(table.find('h'), undefined)
})

test('certificates beyond those kept ready are made ready when they are asked for', () => {
  const table = createCertificateTable()
  const hosts = Array.from({ length: 1_001 }, (_, at) => `h${at}`)
  table.program(
    'a',
    hosts.map((host) => ({ hosts: [host], pair: { ...one } })),
  )
  const first = table.find('h0')
  for (const host of hosts.slice(1, 1_000)) table.find(host)
  assert.equal(table.find('h0'), first, 'it is the one used last now')
  const second = table.find('h1')
  table.find('h1000')
  table.find('h2')
  assert.equal(table.find('h0'), first)
  assert.equal(table.find('h1'), second)
  for (const host of hosts) table.find(host)
  assert.notEqual(table.find('h0'), first)
})
