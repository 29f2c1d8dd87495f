import type { DataType } from '../../core/types.ts'
import type { Value } from '../../core/values.ts'
import { canWiden } from '../coerce.ts'
import type { Argument, ScalarFunction, ScalarOverload } from '../functions.ts'

type OverloadSpec = Pick<ScalarOverload, 'name' | 'parameters' | 'type' | 'call'> & Partial<ScalarOverload>

/** An overload that is deterministic and total over values that are not NULL, unless the spec says otherwise. */
export const overload = (spec: OverloadSpec): ScalarOverload => ({
  seesNull: false,
  nullable: false,
  deterministic: true,
  fallible: false,
  ...spec,
})

type FunctionSpec = Pick<ScalarFunction, 'name' | 'signatures' | 'summary' | 'resolve'> & Partial<ScalarFunction>

export const define = (spec: FunctionSpec): ScalarFunction => ({ aliases: [], examples: [], ...spec })

export const example = (sql: string, result: string) => ({ sql, result })

/** True when the argument may stand where `to` is wanted; a bare NULL may stand anywhere. */
export const accepts = (arg: Argument | undefined, to: DataType): boolean => arg !== undefined && canWiden(arg.type, to)

/** One form of a function with fixed parameter types. */
export interface Form {
  readonly parameters: readonly DataType[]
  /** How many of the parameters must be given; default all. */
  readonly required?: number | undefined
  readonly type: DataType
  readonly call: (...args: Value[]) => Value
  readonly nullable?: boolean | undefined
  readonly fallible?: boolean | undefined
  readonly seesNull?: boolean | undefined
  readonly inline?: ScalarOverload['inline']
}

/** The first form that accepts all arguments. */
function firstForm(name: string, forms: readonly Form[]): (args: readonly Argument[]) => ScalarOverload | undefined {
  return (args) => {
    for (const { required, parameters, ...form } of forms) {
      if (args.length > parameters.length || args.length < (required ?? parameters.length)) continue
      if (!args.every((arg, i) => accepts(arg, parameters[i]!))) continue
      return overload({
        ...form,
        name,
        parameters: parameters.slice(0, args.length),
        nullable: form.nullable ?? false,
        fallible: form.fallible ?? false,
        seesNull: form.seesNull ?? false,
      })
    }
    return undefined
  }
}

/** A function of fixed forms. */
export const fixed = (spec: Omit<FunctionSpec, 'resolve'> & { forms: readonly Form[] }): ScalarFunction => {
  const { forms, ...rest } = spec
  return define({ ...rest, resolve: firstForm(spec.name, forms) })
}
