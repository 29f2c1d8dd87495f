import type { StatementBody } from '../ast-statements.ts'

/** How messages name a statement: `CREATE TABLE`. */
export function statementName(body: StatementBody): string {
  switch (body.kind) {
    case 'create-table':
      return 'CREATE TABLE'
    case 'create-lookup':
      return 'CREATE LOOKUP TABLE'
    case 'create-secret':
      return 'CREATE SECRET'
    case 'create-function':
      return 'CREATE FUNCTION'
    case 'job':
      return `${body.action.toUpperCase()} JOB`
    case 'drop':
      return `DROP ${body.object}`
    case 'show':
      return body.what === 'OPTION' ? 'SHOW' : `SHOW ${body.what}`
    default:
      return body.kind.toUpperCase().replace('-', ' ')
  }
}
