import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ManualClock } from '../../../core/clock.ts'
import { BatchBuilder } from '../../../core/row-batch.ts'
import { systemFiles } from '../../../core/system-files.ts'
import type { Value } from '../../../core/values.ts'
import { DyingFiles } from '../../../testkit/dying-files.ts'
import type { EpochDriver } from '../../../testkit/epoch-driver.ts'
import { epochOf, failure } from '../../../testkit/file-sinks.ts'
import {
  type FolderForm,
  FolderSinks,
  numbers,
  placeRow,
  placeSchema,
  placesUpTo,
  timeOf,
} from '../../../testkit/folder-sinks.ts'

const t = new FolderSinks()
const { open, listed, staged, ids } = t
beforeEach(() => t.freshRoot())
afterEach(() => t.closeAll())
afterAll(() => t[Symbol.dispose]())

describe('paths', () => {
  test('values and times of rows name folders; NULL, empty and odd values are told apart', async () => {
    const cities = ['a/b', null, '__NULL__', '', '..', 'x=1 y']
    const driver = await open({
      path: `${t.root}/\${year}-{MM}/c=\${col:city}/`,
      eventTime: 2,
      options: { partition_by: ['id'], name: 'x', format: 'csv' },
    })
    await driver.settle(undefined)
    await driver.commit(
      await epochOf(
        driver,
        3n,
        cities.map((city) => [1, city, timeOf(0)]),
      ),
    )
    const folders = listed('final').map((name) => name.replace(/\/x-orders-aaaaaaaa-0-3-\d\.csv$/, ''))
    expect(folders.sort()).toEqual(
      ['a%2Fb', '__NULL__', '%5F_NULL__', '__EMPTY__', '%2E%2E', 'x%3D1%20y']
        .map((city) => `2026-01/c=${city}/id=1`)
        .sort(),
    )
    expect(
      readFileSync(
        join(t.root, '2026-01/c=__NULL__/id=1', readdirSync(join(t.root, '2026-01/c=__NULL__/id=1'))[0]!),
        'utf8',
      ),
    ).toBe('id,city,at\n1,,2026-01-01T00:00:00Z\n')
  })

  test('a time zone moves the date; the epoch and the pipeline have their places', async () => {
    const driver = await open({
      path: `${t.root}/{date}T\${hour}/\${pipeline}-\${epoch}`,
      eventTime: 2,
      options: { path_timezone: 'Asia/Tokyo' },
    })
    await driver.settle(undefined)
    await driver.commit(await epochOf(driver, 5n, [placeRow(16)]))
    expect(listed('final')).toEqual(['2026-01-02T01/orders-5/part-orders-aaaaaaaa-0-5-1.jsonl'])
  })

  test('what cannot be is refused with a hint', async () => {
    const refused = async (form: FolderForm): Promise<string> => (await failure(open(form))).code
    expect(await refused({ path: `${t.root}/\${nowhere}/` })).toBe('connector_uri_invalid')
    expect(await refused({ path: `${t.root}/{week}/` })).toBe('connector_uri_invalid')
    expect(await refused({ path: `${t.root}/{date}.jsonl` })).toBe('connector_uri_invalid')
    expect(await refused({ path: `${t.root}/*/x.jsonl` })).toBe('connector_uri_invalid')
    expect(await refused({ options: { partition_by: ['nope'] } })).toBe('connector_option_invalid')
    expect(await refused({ options: { path_timezone: 'Mars' } })).toBe('connector_option_invalid')
    expect(await refused({ options: { name: 'a-b' } })).toBe('connector_option_invalid')
    expect(await refused({ bounded: false, options: { write_mode: 'overwrite' } })).toBe('connector_option_conflict')
    expect(await refused({ path: join(t.base, 'one.jsonl'), options: { roll_records: '5' } })).toBe(
      'connector_option_conflict',
    )
    expect(await refused({ options: { success_file: 'x' } })).toBe('not_implemented')
  })

  test('a value too long for a folder is a reject, the rows around it are written', async () => {
    const driver = await open({ options: { partition_by: ['city'] } })
    await driver.settle(undefined)
    using builder = new BatchBuilder(placeSchema, 3, t.harness.engine.memory)
    for (const city of ['a', 'x'.repeat(300), 'a']) builder.append([1, city, timeOf(0)])
    expect(await driver.sink.write(builder.finish())).toMatchObject([{ row: 1, code: 'connector_record_too_large' }])
    await driver.commit(await epochOf(driver, 1n, []))
    expect(ids()).toEqual([1, 1])
  })
})

describe('rolling', () => {
  const filesOf = async (
    options: FolderForm['options'],
    batches: readonly (readonly (readonly Value[])[])[],
    form: FolderForm = {},
  ) => {
    const driver = await open({ ...form, options: options ?? {} })
    await driver.settle(undefined)
    for (const rows of batches) await driver.write(rows)
    await driver.commit(await epochOf(driver, 1n, []))
    return listed('final').map((name) => readFileSync(join(t.root, name), 'utf8').split('\n').length - 1)
  }

  test('after so many rows, exactly', async () => {
    expect(await filesOf({ roll_records: '3' }, [placesUpTo(2), placesUpTo(10, 2)])).toEqual([3, 3, 3, 1])
    expect(ids()).toEqual(numbers(10))
  })

  test('after the batch that reaches a size', async () => {
    expect(await filesOf({ roll_bytes: '100' }, [placesUpTo(3), placesUpTo(6, 3), placesUpTo(7, 6)])).toEqual([3, 3, 1])
  })

  test('by event time', async () => {
    const options = { roll_interval: '2h', roll_clock: 'event' }
    expect(await filesOf(options, [placesUpTo(5)], { eventTime: 2 })).toEqual([2, 2, 1])
  })

  test('by the clock, and after a time without rows', async () => {
    const clock = new ManualClock()
    const files = new DyingFiles()
    const options = { roll_interval: '10s', idle_close: '30s', partition_by: ['city'] }
    const driver = await open({ clock, files, options })
    await driver.settle(undefined)
    const [even, odd] = [placesUpTo(1), [placeRow(1)]]
    await driver.write([...even, ...odd])
    clock.advance(9000)
    await driver.write(even)
    clock.advance(1000)
    await driver.write(even)
    clock.advance(31_000)
    await driver.write(even)
    // The odd one is idle, and closed without a barrier.
    while (!files.trace.some((line) => /^close \S*-1-2$/.test(line))) await systemFiles.facts(t.base)
    await driver.sink.prepare!(1n, { last: false })
    expect(staged()).toHaveLength(4)
  })

  test('compressed files can be read back', async () => {
    await filesOf({ compression: 'gzip', format: 'csv' }, [placesUpTo(3), placesUpTo(6, 3)])
    const [name] = listed('final')
    expect(name).toMatch(/\.csv\.gz$/)
    const lines = gunzipSync(readFileSync(join(t.root, name!)))
      .toString()
      .trimEnd()
      .split('\n')
    expect(lines).toHaveLength(7)
  })
})

describe('without checkpoints', () => {
  const plain = (form: FolderForm = {}) => open({ pipeline: 'query', lineage: 'none', ...form })
  const end = async (driver: EpochDriver, complete = true): Promise<boolean> => {
    await driver.sink.flush()
    if (complete) await driver.sink.seal!()
    const published = await driver.sink.finish!(complete)
    await driver[Symbol.asyncDispose]()
    return published
  }

  test('all is published at the end, once; a second run is refused, append and overwrite are not', async () => {
    const first = await plain()
    await first.write(placesUpTo(2))
    expect(listed('final')).toEqual([])
    expect(await end(first)).toBe(true)
    expect(listed('final')).toHaveLength(1)
    expect(listed('hidden')).toEqual([])
    expect((await failure(plain())).code).toBe('target_exists')
    const more = await plain({ options: { write_mode: 'append' } })
    await more.write(placesUpTo(4, 2))
    await end(more)
    expect(ids()).toEqual(numbers(4))
    const anew = await plain({ options: { write_mode: 'overwrite' } })
    await anew.write(placesUpTo(1))
    await end(anew)
    expect(ids()).toEqual([0])
  })

  test('a run that ends is stopped: nothing; an endless one: what it wrote', async () => {
    const stopped = await plain()
    await stopped.write(placesUpTo(2))
    expect(await end(stopped, false)).toBe(false)
    expect(listed('hidden')).toEqual([])
    expect(ids()).toEqual([])
    const endless = await plain({ bounded: false })
    await endless.write(placesUpTo(2))
    expect(await end(endless, false)).toBe(true)
    expect(ids()).toEqual([0, 1])
  })

  test('where there are no hard links, files are renamed: nobody else publishes them', async () => {
    class NoLinks extends DyingFiles {
      override link(): Promise<void> {
        return Promise.reject(Object.assign(new Error('EPERM'), { code: 'EPERM' }))
      }
    }
    const driver = await plain({ files: new NoLinks() })
    await driver.write(placesUpTo(2))
    expect(await end(driver)).toBe(true)
    expect(ids()).toEqual([0, 1])
    expect(listed('hidden')).toEqual([])
  })

  test('a publishing that fails is taken back', async () => {
    class Full extends DyingFiles {
      links = 0
      override async link(from: string, to: string): Promise<void> {
        if (++this.links === 2) throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' })
        await super.link(from, to)
      }
    }
    const driver = await plain({ files: new Full(), options: { roll_records: '1' } })
    await driver.write(placesUpTo(3))
    expect((await failure(end(driver))).code).toBe('connector_capacity')
    await driver[Symbol.asyncDispose]()
    expect([...listed('final'), ...listed('hidden')]).toEqual([])
  })

  test('a file in the way of a folder is told', async () => {
    mkdirSync(t.base, { recursive: true })
    writeFileSync(t.root, '')
    expect((await failure(plain())).code).toBe('connector_uri_invalid')
  })
})
