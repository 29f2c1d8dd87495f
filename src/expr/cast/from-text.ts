import type { DataType } from '../../core/types.ts'
import type { Value } from '../../core/values.ts'
import { validJson } from '../json/json-text.ts'
import { jsonToValue } from './from-json.ts'
import { notA, scalarOfText } from './scalar-text.ts'

/** The cast from text; arrays, maps and structs are read as JSON. */
export function textToValue(to: DataType): (value: Value) => Value {
  if (to.kind !== 'array' && to.kind !== 'map' && to.kind !== 'struct') return scalarOfText(to)
  const fromJson = jsonToValue(to)
  return (value) => (validJson(value as string) ? fromJson(value) : notA(value as string, to))
}
