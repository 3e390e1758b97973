// Says which file is done, shows failures with their cause, and ends with the one line that machines read.
import { relative } from 'node:path'

const root = process.cwd()

/** A reporter for `node --test`: takes its events, yields text. */
// eslint-disable-next-line import/no-default-export -- node:test loads reporters by their default export
export default async function* report(source) {
  const counts = { passed: 0, failed: 0, skipped: 0 }
  const files = new Map()
  for await (const { type, data } of source) {
    if (type === 'test:stdout' || type === 'test:stderr') continue
    if (type !== 'test:pass' && type !== 'test:fail') {
      if (type === 'test:diagnostic' && data.level === 'error') yield `${data.message}\n`
      continue
    }
    if (data.details?.type === 'suite') {
      if (data.skip !== undefined && data.skip !== false) {
        counts.skipped++
        yield `skipped  ${relative(root, data.file ?? '')}: ${data.name} (${data.skip})\n`
      }
      if (type === 'test:fail' && data.details.error?.failureType !== 'subtestsFailed') {
        counts.failed++
        yield failure(data)
      }
      continue
    }
    const file = relative(root, data.file ?? '')
    // A file is reported as a test of its own: only its failure to load counts.
    if (data.name === data.file || data.name === file) {
      if (type === 'test:fail' && data.details?.error?.failureType !== 'subtestsFailed') {
        counts.failed++
        yield failure(data)
      }
      continue
    }
    if (data.skip !== undefined && data.skip !== false) {
      counts.skipped++
      yield `skipped  ${file}: ${data.name} (${data.skip === true ? 'no reason given' : data.skip})\n`
    } else if (type === 'test:pass') {
      counts.passed++
    } else if (data.details?.error?.failureType !== 'subtestsFailed') {
      counts.failed++
      yield failure(data)
    }
    if (!files.has(file)) {
      files.set(file, true)
      yield `running  ${file}\n`
    }
  }
  yield `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`
}

function failure(data) {
  const error = data.details?.error
  const cause = error?.cause ?? error
  const text = cause?.stack ?? cause?.message ?? String(cause)
  return `\nFAILED   ${relative(root, data.file ?? '')}:${data.line ?? 0} ${data.name}\n${indent(text)}\n\n`
}

const indent = (text) => String(text).replace(/^/gm, '    ')
