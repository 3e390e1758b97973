// Runs the commands of a Markdown page as a reader would: one shell, block after block.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'

/** A fenced block of shell commands. */
export interface Block {
  /** The `##` heading it stands under. */
  section: string
  /** The words after ```` ```sh ````, e.g. `terminal=1`. */
  info: string
  text: string
}

export interface PageRun {
  code: number | null
  /** Everything that was printed. */
  said: string
  /** What the blocks under a heading printed; the beginning of the heading is enough. */
  outputOf: (section: string) => string
}

/** The shell blocks of a page. */
export async function readPage(path: string): Promise<Block[]> {
  const blocks: Block[] = []
  let section = ''
  for (const [, heading, info, text] of (await readFile(path, 'utf8')).matchAll(
    /^## (.+)$|^```sh(.*)\n([\s\S]*?)^```$/gm,
  )) {
    if (heading !== undefined) section = heading
    else blocks.push({ section, info: info ?? '', text: text ?? '' })
  }
  return blocks
}

/** Runs the blocks in one bash that stops at the first failure. */
export async function runBlocks(
  blocks: readonly Block[],
  { cwd, env = {} }: { cwd: string; env?: Record<string, string> },
): Promise<PageRun> {
  const shell = spawn('bash', ['-euo', 'pipefail', '-s'], { cwd, env: { ...process.env, HOME: cwd, ...env } })
  let said = ''
  for (const stream of [shell.stdout, shell.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()))
  shell.stdin.end(blocks.map(({ section, text }) => `echo '=== ${section}'\n${text}`).join('\n'))
  const [code] = (await once(shell, 'close')) as [number | null]
  const outputOf = (section: string): string =>
    said
      .split('=== ')
      .filter((part) => part.startsWith(section))
      .join('')
  return { code, said, outputOf }
}
