import { described, hasMethods } from '../../core/option-names.ts'
import type { Message } from '../../processor/message.ts'
import type { Sink as MessageSink } from '../../processor/sink.ts'
import { WRITER_OPTIONS } from './data-writer.ts'
import { DataSourceError, misuse, refuseUnknown } from './errors.ts'
import type { DataSink, DataWriter, RecordInput, RowValue, WriterOptions } from './types.ts'

/**
 * A sink of messages over any sink. A payload of JSON is a row: its object, or `{"value": …}`; any other payload is a row
 * of one column, `value`. Messages are held until `flush`, which makes them safe.
 */
export function toSink(sink: DataSink, options: WriterOptions = {}): MessageSink & AsyncDisposable {
  refuseUnknown('toSink', options, WRITER_OPTIONS)
  if (!hasMethods(sink, 'createWriter'))
    throw misuse(`toSink: ${described(sink)} is no sink`, 'toSink(createSink(uri))')
  let writer: Promise<DataWriter> | undefined
  const open = (): Promise<DataWriter> => {
    writer ??= sink.createWriter(options)
    return writer
  }
  const close = async (): Promise<void> => {
    await (await writer)?.close()
    await sink.close()
  }
  return {
    buffered: true,
    name: () => sink.uri,
    send: async (message) => await (await open()).write(recordOf(message)),
    flush: async () => await (await open()).flush(),
    [Symbol.asyncDispose]: close,
  }
}

function recordOf({ id, payload, contentType, metadata }: Message): RecordInput {
  const envelope = { id: String(id), source: String(metadata.source) }
  if (contentType === undefined || !/^application\/([\w.+-]+\+)?json\b/.test(contentType)) {
    return { ...envelope, value: contentType?.startsWith('text/') === true ? { value: textOf(payload) } : payload }
  }
  try {
    const parsed = JSON.parse(textOf(payload), exactNumber) as RowValue
    const isRow = typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
    return { ...envelope, value: isRow ? (parsed as { readonly [name: string]: RowValue }) : { value: parsed } }
  } catch (error) {
    throw new DataSourceError('SinkSpecific', 'connector_record_invalid', `message ${envelope.id} is no JSON`, {
      cause: error,
    })
  }
}

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString()

/** Whole numbers that a number cannot hold stay exact. */
const exactNumber = (_: string, value: unknown, context?: { readonly source?: string }): unknown =>
  typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(context?.source ?? '')
    ? BigInt(context!.source!)
    : value
