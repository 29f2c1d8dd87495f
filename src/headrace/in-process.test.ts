import { expect, test } from 'vitest'
import { topicOf } from '../channels/bus/client.ts'
import { namedStreams } from '../channels/named-streams.ts'
import { createStream } from '../channels/stream.ts'
import { CHANGE } from '../core/change.ts'
import type { Row } from '../core/row-batch.ts'
import { rowAt } from '../core/row-batch.ts'
import { field, schema, types } from '../core/types.ts'
import type { Value } from '../core/values.ts'
import { inputsOf } from '../sql/plan.ts'
import { DeadLetters } from './dead-letters.ts'
import { Engine } from './engine.ts'
import { Pipeline } from './pipeline.ts'
import { compileScript } from './script.ts'

const columns = schema([field('id', types.bigint), field('name', types.string)])

interface Order {
  readonly id: number
  readonly name: string
}

const toRow = (value: unknown): Row => {
  const { id, name } = value as Order
  return { values: [id, name], change: CHANGE.insert }
}
const ofRow = ({ values: [id, name] }: Row): Order => ({ id: Number(id), name: String(name) })

function putStream(engine: Engine, name: string) {
  const stream = createStream<unknown>({ name, schema: columns })
  namedStreams(engine.shared).set(name, { ...stream, schema: columns, toRow, ofRow })
  return stream
}

/** Runs a script until its sources end; rows go to `rows`. */
async function start(engine: Engine, text: string) {
  const script = { file: 'x', text, baseDirectory: '.', name: undefined, parameters: new Map<string, string>() }
  const { plan } = await compileScript(engine, script)
  const rows: (readonly Value[])[] = []
  const pipeline = new Pipeline(engine, {
    plan,
    baseDirectory: '.',
    deadLetters: new DeadLetters(() => undefined),
    client: () => ({
      write: async (batch) => {
        for (let i = 0; i < batch.rows; i++) rows.push(rowAt(batch, i).values)
        return []
      },
      flush: async () => [],
      health: async () => ({ state: 'healthy', issues: [] }),
      [Symbol.asyncDispose]: async () => undefined,
    }),
  })
  const stop = new AbortController()
  return { rows, stop, done: pipeline.run(stop.signal) }
}

test('a stream that code pushes into is read from SQL by its name', async () => {
  const engine = new Engine()
  const { source } = putStream(engine, 'orders')
  for (let id = 1; id <= 5; id++) await source.push({ id, name: `n${id}` })
  const { rows, done } = await start(engine, 'SELECT id * 10 AS ten, name, _source FROM orders WHERE id <> 3')
  await source.push({ id: 6, name: 'late' })
  await source.close()
  await done
  expect(rows.map(([ten, name]) => `${ten} ${name}`)).toEqual(['10 n1', '20 n2', '40 n4', '50 n5', '60 late'])
  expect(rows[0]![2]).toBe('stream:orders')
})

test('an object of the script comes before a stream of the same name', async () => {
  const engine = new Engine()
  putStream(engine, 'orders')
  const text = "CREATE STREAM orders (a INT) FROM 'datagen://?rows=1'; SELECT a FROM orders"
  const { plan } = await compileScript(engine, {
    file: 'x',
    text,
    baseDirectory: '.',
    name: undefined,
    parameters: new Map(),
  })
  let node = plan.outputs[0]!.root
  while (node.kind !== 'source') node = inputsOf(node)[0]!
  expect(node.info.connector).toBe('datagen')
})

test('a name that is no stream is not found', async () => {
  await expect(start(new Engine(), 'SELECT 1 AS one FROM orders')).rejects.toThrow('orders')
})

test('rows of SQL reach every subscriber of a topic', async () => {
  const engine = new Engine()
  const { topic } = topicOf(engine.shared, 'alerts')
  const one = topic.subscribe('one')
  const { source } = putStream(engine, 'orders')
  const { done } = await start(engine, "INSERT INTO 'bus://alerts' SELECT id, name FROM orders WHERE id > 1")
  for (let id = 1; id <= 3; id++) await source.push({ id, name: 'x' })
  await source.close()
  await done
  expect([one.tryRead()?.value.values, one.tryRead()?.value.values, one.tryRead()]).toEqual([
    [2, 'x'],
    [3, 'x'],
    undefined,
  ])
})

test('SQL reads a topic until it is closed', async () => {
  const engine = new Engine()
  const rowTopic = topicOf(engine.shared, 'alerts')
  const { topic } = rowTopic
  rowTopic.schema = columns
  const { rows, done } = await start(
    engine,
    "CREATE STREAM a (id BIGINT, name STRING) FROM 'bus://alerts'; SELECT name FROM a",
  )
  while (topic.broadcast.subscriberCount === 0) await new Promise(setImmediate)
  for (let id = 1; id <= 3; id++) await topic.publish(toRow({ id, name: `n${id}` }))
  await topic.broadcast.close()
  await done
  expect(rows).toEqual([['n1'], ['n2'], ['n3']])
})
