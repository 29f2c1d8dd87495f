import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Sink } from '../connectors/contract.ts'
import { HeadraceError } from '../core/errors.ts'
import { SinkStage } from '../runtime/graph/sink-stage.ts'
import { DeadLetters } from './dead-letters.ts'
import { Engine } from './engine.ts'
import { Pipeline } from './pipeline.ts'
import { publish } from './publish.ts'
import { compileScript } from './script.ts'

let baseDirectory: string
beforeAll(() => {
  baseDirectory = mkdtempSync(join(tmpdir(), 'headrace-publish-'))
})
afterAll(() => rmSync(baseDirectory, { recursive: true }))

test('a target that cannot be published keeps all others from it', async () => {
  writeFileSync(join(baseDirectory, 'in.jsonl'), '{"a":1}\n')
  const engine = new Engine({ baseDirectory })
  const text = "INSERT INTO 'one.jsonl' SELECT a FROM 'in.jsonl'; INSERT INTO 'two.jsonl' SELECT a FROM 'in.jsonl'"
  const script = { file: 'script.sql', text, baseDirectory, name: undefined, parameters: new Map() }
  const { plan } = await compileScript(engine, script)
  const pipeline = new Pipeline(engine, {
    plan,
    baseDirectory,
    deadLetters: new DeadLetters(() => undefined),
    client: () => expect.fail('no rows go to the client'),
    onProgress: () => mkdirSync(join(baseDirectory, 'two.jsonl'), { recursive: true }),
  })
  await expect(pipeline.run(new AbortController().signal)).rejects.toMatchObject({
    code: 'connector_uri_invalid',
    message: expect.stringMatching(/^cannot publish ".*two\.jsonl": EISDIR$/),
  })
  expect(existsSync(join(baseDirectory, 'one.jsonl'))).toBe(false)
  expect(readdirSync(baseDirectory).sort()).toEqual(['in.jsonl', 'two.jsonl'])
})

/** A sink that only keeps a diary. */
function stageOf(name: string, diary: string[], fault?: HeadraceError): SinkStage {
  const note = (what: string) => async (): Promise<boolean> => {
    diary.push(`${what} ${name}`)
    if (what === 'finish' && fault !== undefined) throw fault
    return true
  }
  const sink: Sink = {
    write: async () => [],
    flush: async () => [],
    seal: async () => void (await note('seal')()),
    finish: note('finish'),
    health: async () => ({ state: 'healthy', issues: [] }),
    [Symbol.asyncDispose]: async () => undefined,
  }
  return new SinkStage({ part: name, name, sink, oldImages: true }, () => undefined)
}

test('all are sealed before one is published; an error says which were', async () => {
  const diary: string[] = []
  const fault = new HeadraceError('connector_forbidden', 'cannot publish "b"', { hint: 'grant the right' })
  const stages = [stageOf('a', diary), stageOf('b', diary, fault), stageOf('c', diary)]
  await expect(publish(stages, { queue: undefined, complete: true })).rejects.toMatchObject({
    code: 'connector_forbidden',
    message: 'cannot publish "b"; published before: a; not published: c',
    hint: 'grant the right',
    details: { published: ['a'], not_published: ['b', 'c'] },
  })
  expect(diary).toEqual(['seal a', 'seal b', 'seal c', 'finish a', 'finish b'])
})
