import { type TSchema, Type } from 'typebox'
import { type Answer, type AnswerShape, type Call, json } from '../route.ts'

export const limitParameter = Type.Optional(
  Type.Integer({ minimum: 1, description: 'entries of a page; larger ones are taken as the most there can be' }),
)

/** The answer of a list route: which of the two forms, the prefix says. */
export const listAnswers = (what: string, entry: TSchema): AnswerShape => ({
  description: `one page of ${what}`,
  content: json(
    Type.Union([
      Type.Array(entry),
      Type.Object({
        data: Type.Array(entry),
        next_cursor: Type.Union([Type.String(), Type.Null()]),
        has_more: Type.Boolean(),
      }),
    ]),
  ),
  headers: ['link', 'next-cursor'],
})

/** One page. `next`: the cursor behind it, absent at the end. `keepCursor`: it is told even where nothing follows. */
export function listed(call: Call, texts: readonly string[], next: string | undefined, keepCursor?: string): Answer {
  const entries = `[${texts.join(',')}]`
  const cursor = next ?? keepCursor
  if (call.lists === 'envelope') {
    const cursorPart = cursor === undefined ? 'null' : `"${cursor}"`
    return { status: 200, text: `{"data":${entries},"next_cursor":${cursorPart},"has_more":${next !== undefined}}` }
  }
  if (cursor === undefined) return { status: 200, text: entries }
  const headers = {
    'next-cursor': cursor,
    ...(next === undefined ? {} : { link: `<${nextUrl(call, next)}>; rel="next"` }),
  }
  return { status: 200, text: entries, headers }
}

function nextUrl({ request }: Call, cursor: string): string {
  const [path = '', query = ''] = request.url.split('?')
  const parameters = new URLSearchParams(query)
  parameters.delete('access_token')
  parameters.set(parameters.has('after') ? 'after' : 'cursor', cursor)
  return `${path}?${parameters}`
}

/** A list that is never longer than one page. */
export const envelope = (entry: TSchema) =>
  Type.Object({ data: Type.Array(entry), next_cursor: Type.Null(), has_more: Type.Boolean() })

export const envelopeOf = (data: readonly unknown[]): string =>
  JSON.stringify({ data, next_cursor: null, has_more: false })
