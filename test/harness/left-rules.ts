// What a Podman of the tests leaves behind when it is killed: rules of the kernel that send whatever is meant for a port
// of this machine to a container that is gone. Whoever is given that port later waits in vain for connections.
// Run by itself, it removes them.
import { execFile } from 'node:child_process'
import { isIPv4 } from 'node:net'
import { networkInterfaces } from 'node:os'
import { promisify } from 'node:util'

/** Begins the names of networks that tests make, and of their interfaces. */
export const networkPrefix = 'knode-'

const jumpChain = 'NETAVARK-HOSTPORT-DNAT'

interface Rule {
  chain: string
  /** As `iptables -D` wants them, without the chain. */
  words: string[]
}

/**
 * Of a listing by `iptables -t nat -S`, the rules of our networks that lead to addresses that are gone.
 * @param isGone whether no network of this machine has the address.
 */
export function leftRules(listing: string, isGone: (address: string) => boolean): Rule[] {
  const rules = listing.split('\n').flatMap(ruleOf)
  const left: Rule[] = []
  const ours = rules.filter(({ chain, words }) => chain === jumpChain && isOurs(after(words, '--comment')))
  for (const jump of ours) {
    const [port, chain] = [after(jump.words, '--dport'), after(jump.words, '-j')]
    const ofPort = rules.filter((rule) => rule.chain === chain && after(rule.words, '--dport') === port)
    const targets = ofPort.flatMap(({ words }) => after(words, '--to-destination')?.split(':')[0] ?? [])
    if (targets.every((address) => isIPv4(address) && isGone(address))) left.push(...ofPort, jump)
  }
  return left
}

const isOurs = (comment = ''): boolean => /^dnat name: knode[- ]/.test(comment)

const after = (words: readonly string[], option: string): string | undefined => words[words.indexOf(option) + 1 || -1]

function ruleOf(line: string): Rule[] {
  const words = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '')
  const [append, chain, ...rest] = words
  return append === '-A' && chain !== undefined ? [{ chain, words: rest }] : []
}

/** Removes them, and the bridges of such networks. Does nothing where there are none, or the right to do it is missing. */
export async function removeLeftRules(): Promise<void> {
  const run = promisify(execFile)
  const listing = await run('iptables', ['-w', '-t', 'nat', '-S']).catch(() => undefined)
  if (listing === undefined) return
  for (const { chain, words } of leftRules(listing.stdout, isGone)) {
    await run('iptables', ['-w', '-t', 'nat', '-D', chain, ...words]).catch(() => undefined)
  }
  const links = await run('ip', ['-o', 'link', 'show', 'type', 'bridge']).catch(() => undefined)
  for (const [, name = ''] of links?.stdout.matchAll(/^\d+: ([^:@]+)/gm) ?? []) {
    if (name.startsWith(networkPrefix) && networkInterfaces()[name] === undefined) {
      await run('ip', ['link', 'delete', name]).catch(() => undefined)
    }
  }
}

/** Interfaces that are down, as those without a container, are not among them. */
function isGone(address: string): boolean {
  const networks = Object.values(networkInterfaces()).flatMap((addresses = []) => addresses)
  return !networks.some(({ address: own, netmask }) => isIPv4(own) && sameNetwork(own, address, netmask))
}

function sameNetwork(one: string, other: string, netmask: string): boolean {
  const mask = numberOf(netmask)
  return (numberOf(one) & mask) === (numberOf(other) & mask)
}

const numberOf = (address: string): number => address.split('.').reduce((sum, part) => (sum << 8) | Number(part), 0)

if (import.meta.main) await removeLeftRules()
