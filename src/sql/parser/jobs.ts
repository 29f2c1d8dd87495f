import type { JobStatement, Statement } from '../ast-statements.ts'
import type { Cursor } from './cursor.ts'
import { optionList } from './options.ts'

/** START, STOP, PAUSE, RESUME and CHECKPOINT JOB; `nested` parses the statement of START JOB j AS. */
export function jobStatement(cursor: Cursor, nested: () => Statement): JobStatement {
  const start = cursor.start
  const action = (['start', 'stop', 'pause', 'resume', 'checkpoint'] as const).find((word) =>
    cursor.acceptWord(word.toUpperCase()),
  )!
  cursor.expectWord('JOB')
  const name = cursor.name('job name')
  const statement = action === 'start' && cursor.acceptWord('AS') ? nested() : undefined
  const detail = jobDetail(cursor, action)
  const options = action === 'start' && cursor.isWord('WITH') && cursor.acceptWord('WITH') ? optionList(cursor) : []
  return {
    kind: 'job',
    action,
    name,
    ...(statement === undefined ? {} : { statement }),
    ...(detail === undefined ? {} : { detail }),
    options,
    span: cursor.spanFrom(start),
  }
}

function jobDetail(cursor: Cursor, action: JobStatement['action']): string | undefined {
  if (action === 'start' && cursor.acceptWord('FROM')) return startPoint(cursor)
  if (action === 'stop' && cursor.acceptWord('FORCE')) return 'force'
  if (action === 'stop' && cursor.acceptWord('WITH', 'CHECKPOINT')) return cursor.string('a checkpoint name')
  if (action === 'checkpoint' && cursor.acceptWord('AS')) return cursor.string('a checkpoint name')
  return undefined
}

function startPoint(cursor: Cursor): string {
  if (cursor.acceptWord('BEGINNING')) return 'beginning'
  cursor.expectWord('CHECKPOINT')
  if (cursor.acceptWord('LATEST')) return 'latest'
  if (cursor.token.kind === 'string' || cursor.token.kind === 'number') return cursor.next().text
  return cursor.fail(['LATEST', 'a checkpoint name', 'a number'])
}
