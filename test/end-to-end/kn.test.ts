// The real kn against Knode: what its users do in a day, with kn's own words for success.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import test from 'node:test'
import { startKnode } from '../../src/app/start-knode.ts'
import { silentLogger } from '../../src/base/log.ts'
import { createKn } from '../harness/kn.ts'
import type { Kn } from '../harness/kn.ts'

interface Step {
  words: string[]
  says: RegExp
}

/** `kn WORDS` and what it must print. */
const step = (words: string, says: RegExp): Step => ({ words: words.split(' '), says })

const eventing: Step[] = [
  step('broker create shop', /Broker 'shop' successfully created/),
  step('broker list', /shop +http:\S+\/default\/shop +\d\S* +\d OK \/ \d +True/),
  step('broker describe shop', /\+\+ Addressable/),
  step('trigger create paid --broker shop --filter type=paid --sink http://127.0.0.1:9', /Trigger 'paid' successfully/),
  step('trigger list', /paid +shop +http:\/\/127\.0\.0\.1:9 +\d\S* +\d OK \/ \d +True/),
  step('trigger update paid --filter source=till', /Trigger 'paid' updated/),
  step('trigger describe paid', /source: +till/),
  step('channel create orders', /Channel 'orders' created/),
  step('channel list', /orders +InMemoryChannel +http:\S+ +\d\S* +True/),
  step('channel list-types', /InMemoryChannel/),
  step('subscription create log --channel orders --sink broker:shop', /Subscription 'log' created/),
  step('subscription describe log', /\+\+ Ready/),
  step('source list-types', /PingSource/),
  step('trigger delete paid', /Trigger 'paid' deleted/),
  step('subscription delete log', /Subscription 'log' deleted/),
  step('channel delete orders', /Channel 'orders' deleted/),
  step('broker delete shop', /Broker 'shop' successfully deleted/),
]

const image = '--image ghcr.io/knative/helloworld-go:latest'

const serving: Step[] = [
  step(`service create hello ${image} --env TARGET=one --revision-name one`, /created to latest revision 'hello-one'/),
  step('service list', /hello +http:\/\/hello\.default\.\S+ +hello-one +\d\S* +3 OK \/ 3 +True/),
  step('service update hello --env TARGET=two --revision-name two', /latest revision 'hello-two'/),
  step('revision list', /hello-two +hello +100% +2 +\d\S* +\d OK \/ \d +True/),
  step('service update hello --traffic hello-one=50,@latest=50 --tag hello-one=old', /is available at URL/),
  step('service describe hello', /50% +@latest \(hello-two\)/),
  step('service describe hello', /50% +hello-one #old/),
  step('revision describe hello-one', /Service: +hello/),
  step('route list', /hello +http:\/\/hello\.default\.\S+ +True/),
  step('route describe hello', /50% +hello-one/),
  step(
    'service update hello --scale 1..3 --concurrency-limit 5 --revision-name three --traffic @latest=100',
    /is available at URL/,
  ),
  step('service describe hello', /100% +@latest/),
  step(`service apply other ${image} --env TARGET=one`, /created to latest revision 'other-00001'/),
  step(`service apply other ${image} --env TARGET=two`, /applied to latest revision 'other-00002'|is available at URL/),
  step('service export hello --mode replay --with-revisions -o yaml', /kind: List/),
  step('revision delete hello-one', /Revision 'hello-one' deleted/),
  step('service delete hello', /Service 'hello' successfully deleted/),
]

async function take(kn: Kn, { words, says }: Step): Promise<void> {
  const { code, stdout, stderr } = await kn.run(...words)
  const said = stdout + stderr
  assert.equal(code, 0, `kn ${words.join(' ')}: ${said}`)
  assert.match(said, says, `kn ${words.join(' ')}`)
  assert.doesNotMatch(said, /unknown field/, `kn ${words.join(' ')}`)
}

for (const [name, steps] of Object.entries({ eventing, serving })) {
  test(`kn does its day's work of ${name}`, async (t) => {
    await using knode = await startKnode({ memory: true, apiPort: 0, gatewayPort: 0, log: silentLogger })
    using kn = await createKn(t, { kubeconfig: await readFile(knode.kubeconfigPath, 'utf8') })
    if (kn === undefined) return
    for (const each of steps) await take(kn, each)
  })
}
