import type { IncomingHttpHeaders } from 'node:http'
import type { ProducerMark, WriterMark } from '../../datastreams/store.ts'
import { refusal } from '../http/problem.ts'

/** Who appends, so that a repeat is known: an idempotent producer, or the sink of a pipeline. */
export interface AppendMarks {
  readonly producer: ProducerMark | undefined
  readonly writer: WriterMark | undefined
}

export const PRODUCER = ['producer-id', 'producer-epoch', 'producer-seq'] as const
export const WRITER = ['headrace-writer', 'headrace-incarnation', 'headrace-epoch', 'headrace-chunk'] as const
const NO_MARKS: AppendMarks = { producer: undefined, writer: undefined }
const ID_MAX = 255
const LARGEST = 2n ** 63n - 1n

/** Of the headers of an append. Throws `bad_request` where some of a set are missing or no whole numbers. */
export function marksOf(headers: IncomingHttpHeaders): AppendMarks {
  const producer = allOf(headers, PRODUCER)
  const writer = allOf(headers, WRITER)
  if (producer === undefined && writer === undefined) return NO_MARKS
  return {
    producer:
      producer === undefined
        ? undefined
        : { id: idOf(producer, 0, PRODUCER), epoch: safeOf(producer, 1), seq: safeOf(producer, 2) },
    writer:
      writer === undefined
        ? undefined
        : {
            id: idOf(writer, 0, WRITER),
            incarnation: wholeOf(writer[1]!, WRITER[1]),
            epoch: wholeOf(writer[2]!, WRITER[2]),
            chunk: wholeOf(writer[3]!, WRITER[3]),
          },
  }
}

function allOf(headers: IncomingHttpHeaders, names: readonly string[]): readonly string[] | undefined {
  if (names.every((name) => headers[name] === undefined)) return undefined
  const values = names.map((name) => headers[name])
  const absent = names.find((_, i) => typeof values[i] !== 'string' || values[i] === '')
  if (absent !== undefined) throw refusal('bad_request', `${names.join(', ')} come together: ${absent} is missing`)
  return values as string[]
}

function idOf(values: readonly string[], at: number, names: readonly string[]): string {
  const id = values[at]!
  if (id.length <= ID_MAX) return id
  throw refusal('bad_request', `${names[at]} has more than ${ID_MAX} characters`)
}

function safeOf(values: readonly string[], at: 1 | 2): number {
  const number = Number(wholeOf(values[at]!, PRODUCER[at]))
  if (Number.isSafeInteger(number)) return number
  throw refusal('bad_request', `${PRODUCER[at]} must be a whole number up to 9007199254740991`)
}

export function wholeOf(text: string, name: string): bigint {
  if (/^\d{1,19}$/.test(text) && BigInt(text) <= LARGEST) return BigInt(text)
  throw refusal('bad_request', `${name} must be a whole number`)
}
