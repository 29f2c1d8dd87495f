import type { BoundExpr } from './bound.ts'
import type { LoopCode, Operand } from './loop.ts'
import type { OutputColumn } from './output-column.ts'

/** What the loop of a row program writes to. */
export interface RowTarget {
  count: number
  readonly kept: Int32Array
  readonly computed: readonly { readonly expr: BoundExpr; readonly column: OutputColumn }[]
}

/** Writes the body: filters, then all outputs, then the stores; a row that fails stores nothing. */
export function emitRow(code: LoopCode, filters: readonly BoundExpr[], target: RowTarget): void {
  const state = code.constant(target)
  const count = code.name('count')
  code.before(`let ${count} = ${state}.count`)
  code.after(`${state}.count = ${count}`)
  for (const filter of filters) {
    const passed = code.evaluate(filter)
    const nulls = passed.isNull === 'false' ? '' : ` || ${passed.isNull}`
    code.line(`if (!(${passed.value})${nulls}) ${code.skipRow}`)
  }
  const operands = target.computed.map(({ expr }) => code.evaluate(expr))
  operands.forEach((operand, i) => {
    store(code, operand, target.computed[i]!.column, count)
  })
  code.line(`${code.bound(() => target.kept)}[${count}++] = ${code.row}`)
}

function store(code: LoopCode, operand: Operand, column: OutputColumn, at: string): void {
  const out = code.constant(column)
  const valid = code.bound(() => column.validity)
  const set = `${valid}[${at}] = 1; ${storeValue(code, operand, column, { out, at })}`
  if (operand.isNull === 'false') code.line(set)
  else if (operand.isNull === 'true') code.line(`${out}.setNull(${at})`)
  else code.line(`if (${operand.isNull}) ${out}.setNull(${at}); else { ${set} }`)
}

function storeValue(
  code: LoopCode,
  operand: Operand,
  column: OutputColumn,
  names: { out: string; at: string },
): string {
  const { out, at } = names
  switch (column.kind) {
    case 'utf8':
      if (operand.span !== undefined) {
        const spans = code.bound(() => column.spans)
        return `${spans}[2 * ${at}] = ${operand.span.start}; ${spans}[2 * ${at} + 1] = ${operand.span.length}`
      }
      return `${out}.${column.type.kind === 'bytes' ? 'setBytes' : 'setText'}(${at}, ${operand.value})`
    case 'bool':
      return `${code.bound(() => column.data)}[${at}] = ${operand.value} ? 1 : 0`
    case 'struct':
    case 'boxed':
      return `${code.bound(() => column.boxed)}[${at}] = ${operand.value}`
    default:
      return `${code.bound(() => column.data)}[${at}] = ${operand.value}`
  }
}
