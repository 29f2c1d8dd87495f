import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { headrace, type Outcome } from './cli.ts'
import { Running } from './running.ts'

let cwd: string
let pipeline: Running | undefined
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'headrace-commands-'))
})
afterEach(async () => {
  pipeline?.kill('SIGKILL')
  await pipeline?.ended
  pipeline = undefined
  rmSync(cwd, { recursive: true })
})

const call = (...args: string[]): Promise<Outcome> => headrace(args, { cwd })
const json = async (...args: string[]): Promise<Record<string, unknown>> => {
  const { out, err } = await call(...args, '--json')
  if (out === '') throw new Error(err)
  return JSON.parse(out)
}

const TICKS = `SET checkpoint.interval = '100ms';
INSERT INTO 'file:out/?format=jsonl' SELECT n FROM 'datagen://t?rate=100&field.n=seq(0,1)';
`

/** An endless pipeline that has committed something. */
async function ticking(...more: string[]): Promise<Running> {
  writeFileSync(join(cwd, 'ticks.sql'), TICKS)
  pipeline = new Running(['run', 'ticks.sql', ...more], { cwd })
  await pipeline.reached('prune')
  return pipeline
}

const TIMEOUT = 60_000

test('a pipeline that runs is listed, explained, paused, resumed and stopped', { timeout: TIMEOUT }, async () => {
  const running = await ticking()
  expect(await json('pipelines', 'list')).toMatchObject({
    name: 'ticks',
    state: 'running',
    script: join(cwd, 'ticks.sql'),
    checkpoint: { epoch: expect.any(String) },
  })
  expect((await call('pipelines', 'pause', 'ticks')).out).toBe('ticks: paused\n')
  expect((await call('status')).out).toMatch(/^NAME .*\nticks +paused \(process \d+\) /)
  expect(await json('why', 'ticks')).toMatchObject({ state: 'paused', waits: [{ cause: 'paused' }] })
  expect((await call('jobs', 'resume', 'ticks')).out).toBe('ticks: running\n')
  expect(await json('status', 'ticks')).toMatchObject({ run: { guarantees: [{ level: 'exactly_once' }] } })
  expect((await call('pipelines', 'stop', 'ticks')).out).toMatch(/^ticks: stopped at epoch \d+\n$/)
  expect((await running.ended).code).toBe(0)
  expect((await call('why', 'ticks')).out).toContain('start it: headrace run')
  expect(await json('status', 'ticks')).toMatchObject({ state: 'stopped', run: null })
  expect((await call('pipelines', 'stop', 'ticks')).code).toBe(0)
  const refused = await call('pipelines', 'pause', 'ticks')
  expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('pipeline_not_running')])
})

test('an unknown name is answered with the nearest; a killed pipeline says so', { timeout: TIMEOUT }, async () => {
  const running = await ticking()
  running.kill('SIGKILL')
  await running.ended
  const { code, err } = await call('pipelines', 'show', 'tick')
  expect([code, err]).toEqual([2, expect.stringContaining('did you mean "ticks"?')])
  expect((await call('pipelines', 'show', 'ticks')).out).toMatch(/^state +interrupted$/m)
  expect(await json('why', 'ticks')).toMatchObject({ waits: [{ cause: 'not_running' }] })
})
