// `context.log`: JSON lines on standard output, with the levels of faas-js-runtime.

const levels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const
type Level = (typeof levels)[number]

/** `log.info('text')`, `log.info({ some: 'facts' }, 'text')`. */
export type FunctionLog = Record<Level, (...parts: unknown[]) => void>

/** Lines below `least` are left out; `silent` leaves out all. */
export function createLog(least: string, print: (line: string) => void = console.log): FunctionLog {
  const from = least === 'silent' ? levels.length : Math.max(0, levels.indexOf(least as Level))
  const write = (level: Level, parts: readonly unknown[]): void => {
    const [facts] = parts
    const hasFacts = typeof facts === 'object' && facts !== null && !(facts instanceof Error)
    const text = (hasFacts ? parts.slice(1) : parts).map(String).join(' ')
    print(JSON.stringify({ level, time: Date.now(), ...(hasFacts && facts), ...(text !== '' && { msg: text }) }))
  }
  const none = (): void => undefined
  return Object.fromEntries(
    levels.map((level, at) => [level, at < from ? none : (...parts: unknown[]) => write(level, parts)]),
  ) as FunctionLog
}
