// Manifests as `-f` names them: files, directories, standard input; every mistake told with file, document and line.
import { readdir, readFile, stat } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { KnodeError, messageOf } from '../base/errors.ts'
import type { Resource } from '../model/kubernetes/resource.ts'
import { parseYamlOrJson } from '../model/kubernetes/yaml-or-json.ts'

/** One object of a manifest. */
export interface Manifest {
  object: Resource
  /** Where it stands: `shop.yaml document 2`. */
  origin: string
}

export interface Manifests {
  /** In the order of the arguments, of file names, of documents. */
  manifests: Manifest[]
  /** BAD_MANIFEST errors, one for each mistake. */
  problems: KnodeError[]
  /** Files of a directory that hold no Kubernetes object, like a package.json. */
  skipped: string[]
}

export interface ManifestOptions {
  /** Whole standard input, for `-`. */
  readStdin: () => Promise<string>
  /** Go into subdirectories. @default false */
  recursive?: boolean
}

/** Largest file that is read, in bytes. */
const manifestBytesMax = 67_108_864

const extensions = ['.json', '.yaml', '.yml']

/** Reads everything, however much of it is wrong. Never throws for what a user may write. */
export async function readManifests(paths: readonly string[], options: ManifestOptions): Promise<Manifests> {
  const result: Manifests = { manifests: [], problems: [], skipped: [] }
  for (const path of paths) {
    if (path === '-') addText(result, 'standard input', await options.readStdin())
    else await addPath(result, path, options)
  }
  return result
}

async function addPath(result: Manifests, path: string, { recursive = false }: ManifestOptions): Promise<void> {
  if (/^https?:\/\//.test(path)) {
    result.problems.push(badManifest(path, 'addresses are not read', `curl -L ${path} | knode apply -f -`))
    return
  }
  try {
    if (!(await stat(path)).isDirectory()) return addText(result, path, await readText(path))
    const files = await filesIn(path, recursive)
    const before = result.problems.length
    for (const file of files) addText(result, file, await readText(file), 'directory')
    if (files.length === 0 && result.problems.length === before) {
      result.problems.push(badManifest(path, `the directory holds no ${extensions.join(', ')} file`))
    }
  } catch (error) {
    result.problems.push(badManifest(path, unreadable(error)))
  }
}

async function filesIn(directory: string, recursive: boolean): Promise<string[]> {
  const files: string[] = []
  const entries = await readdir(directory, { withFileTypes: true })
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(directory, entry.name)
    const isDirectory = entry.isDirectory() || (entry.isSymbolicLink() && (await stat(path)).isDirectory())
    if (!isDirectory && extensions.includes(extname(entry.name).toLowerCase())) files.push(path)
    else if (isDirectory && recursive && !entry.isSymbolicLink() && !skippedFolders.test(entry.name)) {
      files.push(...(await filesIn(path, recursive)))
    }
  }
  return files
}

/** Never worth looking into: hidden folders and installed packages. */
const skippedFolders = /^\.|^node_modules$/

async function readText(path: string): Promise<string> {
  const { size } = await stat(path)
  if (size > manifestBytesMax) throw new Error(`the file is larger than ${manifestBytesMax} bytes`)
  return readFile(path, 'utf8')
}

/** In a directory, files that are no manifests at all are skipped; a file that was named must be one. */
function addText(result: Manifests, file: string, text: string, named: 'file' | 'directory' = 'file'): void {
  const documents = parseYamlOrJson(text)
  if (named === 'directory' && documents.length > 0 && documents.every(({ value }) => isNoManifest(value))) {
    // What does not parse may still be meant as one.
    if (documents.every(({ problem }) => problem === undefined)) return void result.skipped.push(file)
  }
  const filled = documents.filter(({ value }) => value !== null)
  if (filled.length === 0 && named === 'file') result.problems.push(badManifest(file, 'there is nothing in it'))
  documents.forEach(({ value, problem }, index) => {
    const origin = documents.length === 1 ? file : `${file} document ${index + 1}`
    if (problem !== undefined) {
      result.problems.push(badManifest(`${origin}, line ${problem.line}`, problem.message))
    } else if (value !== null) addValue(result, origin, value)
  })
}

const isNoManifest = (value: unknown): boolean =>
  typeof value !== 'object' || value === null || !('kind' in value || 'apiVersion' in value)

function addValue(result: Manifests, origin: string, value: unknown): void {
  if (isList(value)) {
    value.items.forEach((item, index) => addValue(result, `${origin}, item ${index + 1}`, item))
    return
  }
  const objection = objectionTo(value)
  if (objection === undefined) result.manifests.push({ object: value as Resource, origin })
  else result.problems.push(badManifest(origin, objection))
}

const isList = (value: unknown): value is { items: unknown[] } =>
  isObject(value) &&
  typeof value['kind'] === 'string' &&
  value['kind'].endsWith('List') &&
  Array.isArray(value['items']) &&
  value['metadata'] !== null

function objectionTo(value: unknown): string | undefined {
  if (!isObject(value)) return 'a manifest is a mapping with apiVersion, kind and metadata'
  for (const field of ['apiVersion', 'kind']) {
    if (typeof value[field] !== 'string' || value[field] === '') return `${field} is missing or no text`
  }
  const { metadata } = value
  if (!isObject(metadata)) return 'metadata is missing'
  const { name, generateName } = metadata
  if (name === undefined && generateName !== undefined) {
    return 'it has generateName, and can be created but not applied: give it a name'
  }
  if (typeof name !== 'string' || name === '') return 'metadata.name is missing or no text (quote it)'
  return undefined
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function badManifest(origin: string, message: string, hint?: string): KnodeError {
  return new KnodeError('BAD_MANIFEST', `${origin}: ${message}`, hint === undefined ? {} : { hint })
}

function unreadable(error: unknown): string {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ENOENT':
      return 'there is no such file or directory'
    case 'EACCES':
      return 'it may not be read'
    default:
      return messageOf(error)
  }
}
