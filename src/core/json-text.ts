import type { DataType } from './types.ts'
import type { Value } from './values.ts'

/**
 * A text that stands for a value of any type and nothing else, for keys and storage: bigints as `{"i":"…"}`, bytes as
 * hex, maps as entry lists. It is not the JSON form that sinks write.
 */
export function jsonText(value: Value, type: DataType): string {
  return JSON.stringify(plain(value, type))
}

export function valueFromJsonText(text: string, type: DataType): Value {
  return fromPlain(JSON.parse(text), type)
}

function plain(value: Value, type: DataType): unknown {
  if (value === null) return null
  if (typeof value === 'bigint') return { i: String(value) }
  if (typeof value === 'number' && !Number.isFinite(value)) return { n: String(value) }
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  switch (type.kind) {
    case 'array':
      return (value as readonly Value[]).map((item) => plain(item, type.element))
    case 'struct':
      return (value as readonly Value[]).map((item, i) => plain(item, type.fields[i]!.type))
    case 'map':
      return [...(value as ReadonlyMap<Value, Value>)].map(([k, v]) => [plain(k, type.key), plain(v, type.value)])
    default:
      return value
  }
}

function fromPlain(json: unknown, type: DataType): Value {
  if (json === null) return null
  if (type.kind === 'bytes') return Uint8Array.from(Buffer.from(json as string, 'hex'))
  if (type.kind === 'array') return (json as unknown[]).map((item) => fromPlain(item, type.element))
  if (type.kind === 'struct') return (json as unknown[]).map((item, i) => fromPlain(item, type.fields[i]!.type))
  if (type.kind === 'map') {
    return new Map((json as [unknown, unknown][]).map(([k, v]) => [fromPlain(k, type.key), fromPlain(v, type.value)]))
  }
  if (typeof json === 'object' && 'i' in json) return BigInt((json as { i: string }).i)
  if (typeof json === 'object' && 'n' in json) return Number((json as { n: string }).n)
  return json as Value
}
