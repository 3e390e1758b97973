// Which Knode this is.
import { readFileSync } from 'node:fs'

const packageFile = new URL('../../package.json', import.meta.url)

/** The package's version, e.g. `0.1.0`. */
export const knodeVersion = (JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string }).version
