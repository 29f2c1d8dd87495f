import { createInterface } from 'node:readline'
import { type Frame, type FrameInput, type Stream, StreamsClient } from '../../client/client.ts'
import { HeadraceError } from '../../core/errors.ts'
import { membersOf } from '../../core/json-members.ts'
import { serverUrl } from '../health.ts'
import type { Io } from '../io.ts'
import type { FieldOptions, PublishOptions, ServerOptions, TailOptions } from './options.ts'

function clientOf({ server, key, account }: ServerOptions): StreamsClient {
  return new StreamsClient({
    baseUrl: serverUrl(server),
    apiKey: key ?? process.env['HEADRACE_API_KEY'],
    account: account ?? process.env['HEADRACE_ACCOUNT'],
  })
}

/** JSON with exact literals of 64-bit numbers. */
const frameJson = ({ payloadText, payload: _, sequence, position, ...frame }: Frame): string => {
  const rest = JSON.stringify(frame)
  return `{"sequence":${sequence},"position":${position},"payload":${payloadText},${rest.slice(1)}`
}

const frameLine = ({ sequence, position, status, latencyMs, createdAt, payloadText }: Frame): string =>
  `${position}  ${sequence}  ${createdAt}  ${status.padEnd(5)} ${latencyMs} ms  ${payloadText}\n`

const streamLine = ({ id, symbol, name, status, version }: Stream): string =>
  `${id}  ${symbol}  ${status.padEnd(8)} v${version}  ${name}\n`

function printStream(stream: Stream, io: Io, json: boolean): number {
  if (json) io.out(`${JSON.stringify(stream)}\n`)
  else {
    for (const [name, value] of Object.entries(stream)) {
      io.out(`${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}\n`)
    }
  }
  return 0
}

export async function list(options: FieldOptions & { readonly limit: number }, io: Io, json: boolean): Promise<number> {
  const client = clientOf(options)
  const { status, symbol, name: namePrefix, limit } = options
  let left = limit
  for await (const stream of client.pages((cursor) =>
    client.listStreams({ status, symbol, namePrefix, cursor, limit }),
  )) {
    if (left-- === 0) break
    io.out(json ? `${JSON.stringify(stream)}\n` : streamLine(stream))
  }
  return 0
}

export async function create(options: FieldOptions, io: Io, json: boolean): Promise<number> {
  const { name = '', symbol = '', ...fields } = fieldsOf(options)
  const stream = await clientOf(options).createStream({ ...fields, name, symbol })
  if (json) return printStream(stream, io, json)
  io.out(`${stream.id}\n`)
  return 0
}

export async function get(id: string, options: ServerOptions, io: Io, json: boolean): Promise<number> {
  return printStream(await clientOf(options).getStream(id), io, json)
}

export async function update(id: string, options: FieldOptions, io: Io, json: boolean): Promise<number> {
  return printStream(await clientOf(options).updateStream(id, fieldsOf(options)), io, json)
}

export async function remove(id: string, options: ServerOptions, io: Io): Promise<number> {
  await clientOf(options).deleteStream(id)
  io.err(`deleted ${id}\n`)
  return 0
}

const fieldsOf = ({ name, symbol, description, frequency, slaMs, status, metadata }: FieldOptions) => ({
  name,
  symbol,
  description,
  frequency,
  slaMs,
  status,
  metadata,
})

export async function frames(
  id: string,
  options: ServerOptions & { readonly limit: number },
  io: Io,
  json: boolean,
): Promise<number> {
  const client = clientOf(options)
  let left = options.limit
  for await (const frame of client.pages((cursor) => client.listFrames(id, { cursor, limit: options.limit }))) {
    if (left-- === 0) break
    io.out(json ? `${frameJson(frame)}\n` : frameLine(frame))
  }
  return 0
}

export async function publish(id: string, options: PublishOptions, io: Io, json: boolean): Promise<number> {
  const client = clientOf(options)
  if (options.source === '-') return await publishLines(client, id, io, json)
  if (options.source !== undefined) throw new HeadraceError('cli_usage', `"${options.source}" is not -`)
  const { sequence, payload, latencyMs, status, metadata } = options
  if (sequence !== undefined && !/^\d{1,19}$/.test(sequence)) {
    throw new HeadraceError('cli_usage', `--sequence: "${sequence}" is not a whole number`)
  }
  const frame = await client.createFrame(id, {
    sequence: sequence === undefined ? undefined : BigInt(sequence),
    payloadText: jsonOf(payload),
    latencyMs,
    status,
    metadata,
  })
  io.out(json ? `${frameJson(frame)}\n` : frameLine(frame))
  return 0
}

function jsonOf(text: string): string {
  try {
    JSON.parse(text)
    return text
  } catch (error) {
    throw new HeadraceError('cli_usage', `--payload is no JSON: ${(error as Error).message}`)
  }
}

/** Every line of standard input is a frame; those that are refused are told on standard error. */
async function publishLines(client: StreamsClient, id: string, io: Io, json: boolean): Promise<number> {
  const counts = { created: 0, duplicate: 0, failed: 0 }
  for await (const result of client.createFrames(id, standardInput())) {
    if (result.status === 'error') {
      counts.failed++
      io.err(`frame ${result.index}: ${result.code}: ${result.error}\n`)
    } else counts[result.status]++
  }
  const text = `created ${counts.created}, duplicate ${counts.duplicate}, failed ${counts.failed}`
  io.out(json ? `${JSON.stringify(counts)}\n` : `${text}\n`)
  return counts.failed === 0 ? 0 : 1
}

async function* standardInput(): AsyncGenerator<FrameInput> {
  let number = 0
  for await (const line of createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY })) {
    number++
    if (line.trim() !== '') yield frameOf(line, number)
  }
}

function frameOf(line: string, number: number): FrameInput {
  try {
    const wire = JSON.parse(line) as Readonly<Record<string, unknown>>
    const texts = membersOf(line)
    const sequence = texts.get('sequence')
    return {
      sequence: sequence === undefined ? undefined : BigInt(sequence.replace(/^"(.*)"$/, '$1')),
      payloadText: texts.get('payload'),
      latencyMs: wire['latency_ms'] as number | undefined,
      status: wire['status'] as FrameInput['status'],
      metadata: wire['metadata'] as FrameInput['metadata'],
      observedAt: wire['observed_at'] as string | number | undefined,
    }
  } catch (error) {
    throw new HeadraceError('cli_usage', `line ${number} of standard input: ${(error as Error).message}`)
  }
}

export async function tail(id: string, options: TailOptions, io: Io): Promise<number> {
  const { from, limit = Number.POSITIVE_INFINITY } = options
  const start = from === 'latest' || from === 'earliest' ? from : /^\d{1,19}$/.test(from) ? BigInt(from) : undefined
  if (start === undefined)
    throw new HeadraceError('cli_usage', `--from: "${from}" is not latest, earliest or a sequence`)
  const onReset = (): void => io.err('frames are gone: retention has passed the place; going on with the earliest\n')
  let left = limit
  if (left === 0) return 0
  for await (const frame of clientOf(options).subscribe(id, { from: start, signal: io.signal, onReset })) {
    io.out(`${frameJson(frame)}\n`)
    if (--left === 0) break
  }
  return 0
}

export async function sla(id: string, options: ServerOptions & { readonly window: string }, io: Io): Promise<number> {
  const path = `/v1/streams/${encodeURIComponent(id)}/sla?window=${encodeURIComponent(options.window)}`
  return await print(clientOf(options).request('GET', path), io)
}

export const outbox = (options: ServerOptions, io: Io): Promise<number> =>
  print(clientOf(options).request('GET', '/v1/outbox'), io)

async function print(answer: Promise<unknown>, io: Io): Promise<number> {
  io.out(`${JSON.stringify(await answer, undefined, 2)}\n`)
  return 0
}

export async function accounts(
  name: string | undefined,
  options: ServerOptions & { readonly id?: string },
  io: Io,
): Promise<number> {
  const client = clientOf(options)
  if (name === undefined) return await print(client.request('GET', '/v1/accounts'), io)
  return await print(client.request('POST', '/v1/accounts', { name, id: options.id }), io)
}

export async function keys(
  what: string | undefined,
  name: string | undefined,
  options: ServerOptions,
  io: Io,
): Promise<number> {
  const client = clientOf(options)
  if (what === undefined || what === 'list') return await print(client.request('GET', '/v1/keys'), io)
  if (what === 'generate') {
    const { newKeyText } = await import('../../service/bootstrap.ts')
    io.out(`${newKeyText()}\n`)
    return 0
  }
  if (name === undefined)
    throw new HeadraceError('cli_usage', `keys ${what}: the ${what === 'delete' ? 'id' : 'name'} is missing`)
  if (what === 'delete') {
    await client.request('DELETE', `/v1/keys/${encodeURIComponent(name)}`)
    return 0
  }
  if (what !== 'create') throw new HeadraceError('cli_usage', `keys: "${what}" is not list, create, delete or generate`)
  const { scope: scopes, for: accounts, expires } = options
  return await print(client.request('POST', '/v1/keys', { name, scopes, accounts, expires_at: expires }), io)
}
