// Step 2: acts on what the model said. Takes a chat completion, answers with the action.
import { Refusal, serveEvents } from './cloud-event-service.ts'

serveEvents({ port: Number(process.env['PORT'] ?? 8080), source: '/examples/thirst/drink-svc' }, ({ data }) => {
  const { choices } = (data ?? {}) as { choices?: { message?: { content?: string } }[] }
  const words = choices?.[0]?.message?.content
  if (words === undefined) throw new Refusal(400, 'the data is no chat completion')
  console.log(`drink-svc: the model says: ${words}`)
  console.log('drink-svc: action: drink water')
  return Promise.resolve({ type: 'dev.knode.samples.drink', data: { action: 'drink water', because: words } })
})
