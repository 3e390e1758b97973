// What a function's module may export. Source: faas-js-runtime, "The Function Interface".
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FunctionContext } from './function-context.ts'

/** `input` is the event of a CloudEvents request, else the request's body. */
export type Handle = (context: FunctionContext, input?: unknown) => unknown

/** Answers a probe itself, or returns the body of a 200. */
export type HealthCheck = ((request: IncomingMessage, response: ServerResponse) => unknown) & { path?: string }

export interface UserFunction {
  handle: Handle
  /** Called once, before the first request. */
  init?: () => unknown
  /** Called once, after the last one. */
  shutdown?: () => unknown
  liveness?: HealthCheck
  readiness?: HealthCheck
  /** Origins that may read answers in a browser. @default all */
  cors?: () => readonly string[]
}

/** @throws {TypeError} when the module exports no handler, and whatever it throws itself. */
export async function loadFunction(url: string): Promise<UserFunction> {
  const exported = (await import(url)) as Record<string, unknown>
  const userFunction = asFunction(exported) ?? asFunction(exported['default'])
  if (userFunction === undefined) {
    throw new TypeError(`${url} exports no handler: export a function named "handle", or make it the default export`)
  }
  await userFunction.init?.()
  return userFunction
}

/** A function, or an object with a function `handle` and any of the hooks. */
function asFunction(exported: unknown): UserFunction | undefined {
  if (typeof exported === 'function') return { handle: exported as Handle }
  if (typeof exported !== 'object' || exported === null) return undefined
  const { handle, ...rest } = exported as Record<string, unknown>
  if (typeof handle !== 'function') return undefined
  const hooks = ['init', 'shutdown', 'liveness', 'readiness', 'cors'].filter((name) => typeof rest[name] === 'function')
  const bound = hooks.map((name) => [name, rest[name]] as const)
  return { ...Object.fromEntries(bound), handle: handle as Handle }
}
