// Request bodies: read up to a limit, decoded from JSON, YAML 1.1 or Kubernetes' protobuf.
import type { IncomingMessage } from 'node:http'
import { messageOf } from '../../../base/errors.ts'
import { parseYaml } from '../../../model/kubernetes/yaml.ts'
import { badRequest, tooLarge, unsupportedPatch } from '../api-errors.ts'
import { decodeProtobuf, isProtobuf, UnknownMessageError } from './protobuf/decode.ts'

/** Kubernetes' own limit of a request body. */
const bodyBytesMax = 3_145_728

/** @throws {StatusError} 413 when the body is longer than the limit. */
export async function readBody(request: IncomingMessage, bytesMax = bodyBytesMax): Promise<Buffer> {
  const refusal = tooLarge(`Request entity too large: limit is ${bytesMax}`)
  if (Number(request.headers['content-length'] ?? 0) > bytesMax) throw refusal
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > bytesMax) throw refusal
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, length)
}

/** The media type without parameters, in lower case; JSON when the header is missing (kubectl scale sends none). */
export function mediaTypeOf(request: IncomingMessage): string {
  const header = request.headers['content-type']
  if (header === undefined || header.trim() === '') return 'application/json'
  return header.split(';', 1)[0]!.trim().toLowerCase()
}

const jsonTypes = [
  'application/json',
  'application/merge-patch+json',
  'application/json-patch+json',
  'application/strategic-merge-patch+json',
]
const yamlTypes = ['application/yaml', 'application/apply-patch+yaml']
const protobufType = 'application/vnd.kubernetes.protobuf'

/** @throws {StatusError} 400 when the body does not parse, 415 for another media type or an unknown message. */
export function decodeBody(bytes: Buffer, mediaType: string): unknown {
  if (mediaType === protobufType || isProtobuf(bytes)) return decodeProtobufBody(bytes)
  if (jsonTypes.includes(mediaType)) return decodeJson(bytes)
  if (yamlTypes.includes(mediaType)) return decodeYaml(bytes)
  throw unsupportedPatch(['application/json', 'application/yaml', protobufType])
}

function decodeJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown
  } catch (error) {
    throw badRequest(`the request body is not valid JSON: ${messageOf(error)}`)
  }
}

function decodeYaml(bytes: Buffer): unknown {
  const text = bytes.toString('utf8')
  // What clients apply is nearly always JSON, which is YAML, too; only reading it as such takes hundreds of times longer.
  if (/^\s*\{/.test(text)) {
    try {
      return JSON.parse(text) as unknown
    } catch {
      // A mapping in YAML's own flow style.
    }
  }
  const [document, ...more] = parseYaml(text)
  if (more.length > 0) throw badRequest('the request body is not valid YAML: one document is expected')
  const { value, problem } = document ?? { value: null }
  if (problem === undefined) return value
  throw badRequest(`the request body is not valid YAML: line ${problem.line}: ${problem.message}`)
}

function decodeProtobufBody(bytes: Buffer): unknown {
  try {
    return decodeProtobuf(bytes)
  } catch (error) {
    if (error instanceof UnknownMessageError) throw unsupportedPatch(['application/json', 'application/yaml'])
    throw badRequest(`the request body is not valid protobuf: ${messageOf(error)}`)
  }
}
