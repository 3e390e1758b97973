// What Knode and a function's process tell each other over the process's IPC channel.

/** From Knode, once: what the process becomes. */
export interface HandOver {
  /** Absolute path of the module. */
  file: string
  cwd: string
  port: number
  /** Complete. */
  env: Record<string, string>
}

/** From the process: it can be handed over without a wait; it accepts connections. */
export type Report = 'warm' | 'listening'
