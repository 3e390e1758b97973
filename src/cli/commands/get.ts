// knode get: objects as a table, as text for machines, or as they change.
import type { Clock } from '../../base/clock.ts'
import { KnodeError } from '../../base/errors.ts'
import type { Resource } from '../../model/kubernetes/resource.ts'
import { StatusError } from '../../model/kubernetes/status-error.ts'
import { writeYaml } from '../../model/kubernetes/yaml.ts'
import type { ApiClient } from '../api-client.ts'
import { complaint } from '../complaint.ts'
import { connectionFlags, defineCommand, namespaceFlag } from '../command.ts'
import { without } from '../metadata.ts'
import { discover, kindLabel, pathOf } from '../discovery.ts'
import type { ApiResource } from '../discovery.ts'
import { tableAccept, TablePrinter, textRows } from '../table.ts'
import type { ApiTable, TableOptions } from '../table.ts'
import { namespaceOf, parseTargets } from '../targets.ts'
import type { Target } from '../targets.ts'
import type { Terminal } from '../terminal.ts'
import { watchFrom } from '../watch-object.ts'

export const command = defineCommand({
  name: 'get',
  summary: 'List objects, or show some',
  usage: 'KIND[,KIND...] [NAME...] | KIND/NAME...',
  positionals: { min: 1, max: 1_000 },
  details:
    'A kind may be written as plural, singular, short name, with its group, or as a category like all or sources.',
  examples: ['knode get broker,trigger -A', 'knode get trigger billing -o yaml', 'knode get sequence -w'],
  flags: {
    ...namespaceFlag,
    'all-namespaces': { type: 'boolean', short: 'A', description: 'in every namespace' },
    output: { type: 'text', short: 'o', value: 'FORM', choices: ['wide', 'yaml', 'json', 'name'], description: 'form' },
    selector: {
      type: 'text',
      short: 'l',
      value: 'SELECTOR',
      description: 'only objects with these labels: app=shop,!old',
    },
    watch: { type: 'boolean', short: 'w', description: 'go on with every change, until stopped' },
    'show-managed-fields': { type: 'boolean', description: 'show metadata.managedFields, too' },
    ...connectionFlags,
  },
  async run({ flags, positionals }, { terminal, connect, signal, clock }) {
    if (flags.selector !== undefined && (positionals.length > 1 || positionals[0]!.includes('/'))) {
      throw new KnodeError('USAGE', 'a name and --selector do not go together', { hint: 'use one of the two' })
    }
    const client = await connect()
    const targets = parseTargets(positionals, await discover(client))
    const namespace = flags['all-namespaces'] ? undefined : (flags.namespace ?? client.namespace)
    if (namespace === undefined && targets.some(({ name }) => name !== undefined)) {
      throw new KnodeError('USAGE', 'a name and -A do not go together', { hint: 'name the namespace with -n' })
    }
    const view: View = { client, terminal, namespace, selector: flags.selector }
    if (flags.output === undefined || flags.output === 'wide') {
      const wide = flags.output === 'wide'
      if (flags.watch) return watchTable(view, onlyOne(targets), wide, { signal, clock })
      return printTables(view, targets, wide)
    }
    const form = { output: flags.output, showManagedFields: flags['show-managed-fields'] }
    if (flags.watch) return watchObjects(view, onlyOne(targets), form, { signal, clock })
    return printObjects(view, targets, form)
  },
})

interface View {
  client: ApiClient
  terminal: Terminal
  /** `undefined`: all. */
  namespace: string | undefined
  selector: string | undefined
}

const placeOf = (resource: ApiResource, { namespace }: View): string | undefined =>
  namespace === undefined ? undefined : namespaceOf(resource, namespace)

function onlyOne(targets: readonly Target[]): Target {
  const [target, ...others] = targets
  if (target === undefined || others.length > 0) {
    throw new KnodeError('USAGE', 'one kind or one object can be watched at a time')
  }
  return target
}

async function printTables(view: View, targets: readonly Target[], wide: boolean): Promise<number> {
  const { client, terminal, namespace, selector } = view
  const kinds = Map.groupBy(targets, ({ resource }) => resource)
  const missing: StatusError[] = []
  let hasPrinted = false
  for (const [resource, wanted] of kinds) {
    const tables: ApiTable[] = []
    for (const { name } of wanted) {
      const path = pathOf(resource, placeOf(resource, view), name)
      const query = name === undefined ? { labelSelector: selector } : {}
      const answer = await unlessMissing(client.call<ApiTable>({ path, accept: tableAccept, query }), missing)
      if (answer !== undefined) tables.push(answer.body)
    }
    const table: ApiTable = { ...tables[0], rows: tables.flatMap(({ rows }) => rows ?? []) }
    if (table.rows?.length === 0) continue
    const { head, rows } = textRows(table, tableOptions(resource, view, wide, kinds.size > 1))
    if (hasPrinted) terminal.out('\n')
    new TablePrinter(terminal).print(rows, head)
    hasPrinted = true
  }
  if (missing.length > 0) return told(missing, terminal)
  if (!hasPrinted) terminal.err(`No resources found${namespace === undefined ? '' : ` in ${namespace} namespace.`}\n`)
  return 0
}

/** The answer, or nothing when there is no such object: the others that were named are shown all the same. */
async function unlessMissing<Answer>(answer: Promise<Answer>, missing: StatusError[]): Promise<Answer | undefined> {
  try {
    return await answer
  } catch (error) {
    if (!(error instanceof StatusError) || error.code !== 404) throw error
    missing.push(error)
    return undefined
  }
}

function told(missing: readonly StatusError[], terminal: Terminal): number {
  for (const error of missing) terminal.err(complaint(error, terminal))
  return missing.length > 0 ? 1 : 0
}

function tableOptions(resource: ApiResource, { namespace }: View, wide: boolean, isMixed: boolean): TableOptions {
  return {
    wide,
    withNamespace: namespace === undefined && resource.namespaced,
    ...(isMixed && { namePrefix: `${kindLabel(resource)}/` }),
  }
}

interface Waiting {
  signal: AbortSignal
  clock: Clock
}

async function watchTable(
  view: View,
  { resource, name }: Target,
  wide: boolean,
  { signal, clock }: Waiting,
): Promise<number> {
  const { client, terminal } = view
  const path = pathOf(resource, placeOf(resource, view))
  const query = selection(view, name)
  const { body } = await client.call<ApiTable>({ path, accept: tableAccept, query })
  const options = tableOptions(resource, view, wide, false)
  const printer = new TablePrinter(terminal)
  const first = textRows(body, options)
  if (first.rows.length > 0) printer.print(first.rows, first.head)
  let hasTitles = first.rows.length > 0
  const request = { path, accept: tableAccept, query, signal }
  const from = { from: body.metadata?.resourceVersion, clock }
  for await (const { object } of watchFrom<ApiTable>(client, request, from)) {
    // Only the first event of a watch need name the columns.
    const columnDefinitions = object.columnDefinitions ?? body.columnDefinitions ?? null
    const { rows } = textRows({ ...object, columnDefinitions }, options)
    printer.print(rows, hasTitles ? undefined : first.head)
    hasTitles = true
  }
  return 0
}

const selection = ({ selector }: View, name: string | undefined): Record<string, string | undefined> => ({
  labelSelector: selector,
  fieldSelector: name === undefined ? undefined : `metadata.name=${name}`,
})

interface Form {
  output: 'yaml' | 'json' | 'name'
  showManagedFields: boolean
}

async function printObjects(view: View, targets: readonly Target[], form: Form): Promise<number> {
  const { client, terminal, selector } = view
  const objects: [ApiResource, Resource][] = []
  const missing: StatusError[] = []
  for (const { resource, name } of targets) {
    const path = pathOf(resource, placeOf(resource, view), name)
    if (name !== undefined) {
      const answer = await unlessMissing(client.call<Resource>({ path }), missing)
      if (answer !== undefined) objects.push([resource, answer.body])
      continue
    }
    const { body } = await client.call<{ apiVersion: string; kind: string; items: Resource[] }>({
      path,
      query: { labelSelector: selector },
    })
    // Items of a list may leave to the list what they are.
    const own = { apiVersion: body.apiVersion, kind: body.kind.replace(/List$/, '') }
    objects.push(...body.items.map((item): [ApiResource, Resource] => [resource, { ...own, ...item }]))
  }
  if (form.output === 'name') {
    for (const [resource, object] of objects) terminal.out(`${kindLabel(resource)}/${object.metadata.name}\n`)
    return told(missing, terminal)
  }
  const items = objects.map(([, object]) => presentable(object, form))
  const isSingle = targets.length === 1 && targets[0]?.name !== undefined
  if (items.length > 0 || missing.length === 0) {
    terminal.out(written(isSingle ? items[0] : { apiVersion: 'v1', kind: 'List', items }, form))
  }
  return told(missing, terminal)
}

async function watchObjects(
  view: View,
  { resource, name }: Target,
  form: Form,
  { signal, clock }: Waiting,
): Promise<number> {
  const { client, terminal } = view
  const path = pathOf(resource, placeOf(resource, view))
  const query = selection(view, name)
  for await (const { object } of watchFrom(client, { path, query, signal }, { from: undefined, clock })) {
    if (form.output === 'name') terminal.out(`${kindLabel(resource)}/${object.metadata.name}\n`)
    else terminal.out(`${form.output === 'yaml' ? '---\n' : ''}${written(presentable(object, form), form)}`)
  }
  return 0
}

const written = (value: unknown, { output }: Form): string =>
  output === 'yaml' ? writeYaml(value) : `${JSON.stringify(value, undefined, 4)}\n`

function presentable(object: Resource, { showManagedFields }: Form): Resource {
  if (showManagedFields) return object
  return { ...object, metadata: without(object.metadata, ['managedFields']) }
}
