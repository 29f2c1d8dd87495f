import type { Option, OptionSpec, OptionType, Side } from '../../core/option-types.ts'

/** JSON Schema (2020-12) of the options of one side. */
export interface JsonSchema {
  readonly type: 'object'
  readonly properties: Readonly<Record<string, JsonSchemaProperty>>
  readonly required: readonly string[]
  readonly additionalProperties: false
}

export interface JsonSchemaProperty {
  readonly type: string | readonly string[]
  readonly description: string
  readonly default?: unknown
  readonly enum?: readonly string[]
  readonly minimum?: number
  readonly maximum?: number
  readonly format?: string
  readonly items?: { readonly type: 'string' }
  readonly writeOnly?: true
}

/** A duration and a size may be a number or a text with its unit. */
const TYPES: Readonly<Record<OptionType, Pick<JsonSchemaProperty, 'type' | 'format' | 'items'>>> = {
  text: { type: 'string' },
  secret: { type: 'string' },
  char: { type: 'string' },
  choice: { type: 'string' },
  int: { type: 'integer' },
  float: { type: 'number' },
  bool: { type: 'boolean' },
  dur: { type: ['integer', 'string'], format: 'duration' },
  bytes: { type: ['integer', 'string'], format: 'bytes' },
  ts: { type: ['integer', 'string'], format: 'date-time' },
  list: { type: 'array', items: { type: 'string' } },
  map: { type: 'object' },
}

export function optionsSchema(spec: OptionSpec, side: Side): JsonSchema {
  const own = Object.entries(spec).filter(([, option]) => option.side === undefined || option.side === side)
  return {
    type: 'object',
    properties: Object.fromEntries(own.map(([name, option]) => [name, property(option)])),
    required: own.filter(([, option]) => option.required).map(([name]) => name),
    additionalProperties: false,
  }
}

function property(option: Option<unknown>): JsonSchemaProperty {
  const { type, doc, choices, min, max, secret, later } = option
  const fallback = option.default
  return {
    ...TYPES[type],
    description: later ? `${doc} Not built yet.` : doc,
    ...(fallback === undefined || fallback instanceof Map ? {} : { default: fallback }),
    ...(choices === undefined ? {} : { enum: choices }),
    ...(min === undefined ? {} : { minimum: min }),
    ...(max === undefined ? {} : { maximum: max }),
    ...(secret ? { writeOnly: true as const } : {}),
  }
}
