import { Type } from 'typebox'

export const problemAnswer = Type.Object(
  {
    type: Type.String({ pattern: '^urn:headrace:error:' }),
    title: Type.String(),
    status: Type.Integer({ minimum: 400, maximum: 599 }),
    detail: Type.String(),
    error: Type.String({ description: 'the same text as `detail`' }),
    code: Type.String(),
    retryable: Type.Boolean(),
    side_effects: Type.Enum(['none', 'possible']),
    instance: Type.String(),
    errors: Type.Array(Type.Object({ pointer: Type.String(), code: Type.String(), detail: Type.String() })),
    earliest_cursor: Type.Optional(Type.String()),
    trace_id: Type.String(),
  },
  { description: 'a fault (RFC 9457)' },
)
