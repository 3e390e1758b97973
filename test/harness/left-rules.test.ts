// What a killed Podman of the tests left behind is found, and nothing else.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { leftRules } from './left-rules.ts'

const rulesOf = (chain: string, network: string, port: number, address: string): string => `
-A NETAVARK-DN-${chain} -s 10.9.9.0/24 -d 127.0.0.1/32 -p tcp -m tcp --dport ${port} -j NETAVARK-HOSTPORT-SETMARK
-A NETAVARK-DN-${chain} -d 127.0.0.1/32 -p tcp -m tcp --dport ${port} -j DNAT --to-destination ${address}:8080
-A NETAVARK-HOSTPORT-DNAT -p tcp -m tcp --dport ${port} -m comment --comment "dnat name: ${network} id: 53" -j NETAVARK-DN-${chain}`

const listing = `-P OUTPUT ACCEPT
-N NETAVARK-HOSTPORT-DNAT
-A OUTPUT -m addrtype --dst-type LOCAL -j NETAVARK-HOSTPORT-DNAT
-A NETAVARK-HOSTPORT-MASQ -m comment --comment "netavark portfw masq mark" -m mark --mark 0x2000/0x2000 -j MASQUERADE
${rulesOf('A', 'knode-a1', 43005, '10.1.1.3')}${rulesOf('A', 'knode-a1', 43006, '10.2.2.3')}
${rulesOf('B', 'somebody', 43007, '10.1.1.4')}`

test('the rules of a network of the tests that lead to nobody are told, whole', () => {
  const left = leftRules(listing, (address) => address.startsWith('10.1.'))
  assert.deepEqual(
    left.map(({ chain, words }) => `${chain} ${words.at(-1)}`),
    ['NETAVARK-DN-A NETAVARK-HOSTPORT-SETMARK', 'NETAVARK-DN-A 10.1.1.3:8080', 'NETAVARK-HOSTPORT-DNAT NETAVARK-DN-A'],
  )
  assert.ok(left[2]!.words.includes('dnat name: knode-a1 id: 53'), 'a quoted comment is one word')
})

test('while the containers are there, nothing is', () => {
  assert.deepEqual(
    leftRules(listing, () => false),
    [],
  )
  assert.deepEqual(
    leftRules('', () => true),
    [],
  )
})
