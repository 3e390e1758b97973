// Step 1: asks a language model. Takes a chat request, answers with a chat completion, both as OpenAI's API has them.
//
//   QWEN_BASE_URL   any OpenAI-compatible endpoint, e.g. http://127.0.0.1:11434/v1; without it a small offline responder
//                   answers, and says so in the log
//   QWEN_API_KEY    sent as bearer token, if set
//   QWEN_MODEL      the model to ask (default: qwen-plus)
import { Refusal, serveEvents } from './cloud-event-service.ts'

interface ChatRequest {
  messages: { role: string; content: string }[]
}

interface ChatCompletion {
  model: string
  choices: { index: number; message: { role: string; content: string }; finish_reason: string }[]
}

/** Longest wait for the model, in milliseconds. */
const modelMs = 60_000

const { QWEN_BASE_URL: baseUrl = '', QWEN_API_KEY: apiKey = '', QWEN_MODEL: model = 'qwen-plus' } = process.env

if (baseUrl === '') console.log('qwen: no QWEN_BASE_URL: the offline responder answers, not a model')

serveEvents({ port: Number(process.env['PORT'] ?? 8080), source: '/examples/thirst/qwen' }, async ({ data }) => {
  const request = readRequest(data)
  const completion = baseUrl === '' ? offlineAnswer(request) : await ask(request)
  console.log(`qwen: "${request.messages.at(-1)?.content}" → "${completion.choices[0]?.message.content}"`)
  return { type: 'dev.knode.samples.chat.completion', data: completion }
})

function readRequest(data: unknown): ChatRequest {
  const { messages } = (data ?? {}) as Partial<ChatRequest>
  if (!Array.isArray(messages) || messages.length === 0) throw new Refusal(400, 'the data has no messages to answer')
  return { messages }
}

async function ask({ messages }: ChatRequest): Promise<ChatCompletion> {
  const response = await fetch(`${baseUrl.replace(/\/$/, '')}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(apiKey === '' ? {} : { authorization: `Bearer ${apiKey}` }) },
    body: JSON.stringify({ model, messages }),
    signal: AbortSignal.timeout(modelMs),
  })
  // 502 tells the mesh to try again later; a refusal of the model is for good.
  if (!response.ok) throw new Refusal(response.status >= 500 ? 502 : 422, `the model answered ${response.status}`)
  return (await response.json()) as ChatCompletion
}

function offlineAnswer({ messages }: ChatRequest): ChatCompletion {
  const asked = messages.at(-1)?.content ?? ''
  const thirsty = /渴|thirst/i.test(asked)
  const content = thirsty
    ? '渴了就喝水吧。 (If you are thirsty, drink some water.)'
    : `"${asked}"? 请再说一遍。 (Say that again, please.)`
  const message = { role: 'assistant', content }
  return { model: 'offline-responder', choices: [{ index: 0, message, finish_reason: 'stop' }] }
}
