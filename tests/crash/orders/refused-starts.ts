import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PipelineProcess } from '../pipeline-process.ts'
import { Bench, entered, expect, scriptOf, until, within } from './bench.ts'

const USAGE = 2

const refusal = async (run: PipelineProcess): Promise<{ code: number | null; err: string }> =>
  await within('the refused start ends', run.ended)

/** Rows are published, and the pipeline is stopped in order. */
async function ranOnce(bench: Bench): Promise<void> {
  bench.append()
  const run = bench.start()
  await entered(run, 'claim')
  await bench.all()
  await bench.stop(run)
}

/** A start with another query is refused before it claims: the running instance goes on. */
export async function editedSql(folder: string): Promise<string> {
  await using bench = new Bench(folder)
  bench.append()
  const running = bench.start()
  await entered(running, 'claim')
  await bench.all()
  const edits = {
    filter: scriptOf(' WHERE id % 2 = 0'),
    target: scriptOf().replace("'out/'", "'elsewhere/'"),
    source: scriptOf().replace("'file:in.jsonl", "'file:other.jsonl"),
    format: scriptOf().replace("'out/'", "'file:out/?format=csv'"),
  }
  for (const [edit, text] of Object.entries(edits)) {
    if (edit === 'source') bench.put('other.jsonl', '{"id":1000000}\n')
    bench.put('p.sql', text)
    const { code, err } = await refusal(bench.start(['--takeover']))
    if (code !== USAGE || !err.includes('pipeline_plan_changed')) {
      throw new Error(`another ${edit} is not refused: ${code} ${err} (${folder})`)
    }
  }
  bench.put('p.sql', scriptOf())
  bench.append()
  await bench.all()
  await bench.stop(running)
  expect('other targets', existsSync(join(folder, 'elsewhere')), false)
  const facts = await bench.verdict()
  rmSync(folder, { recursive: true })
  return facts
}

/** The state is gone and the committed files are there: nothing is written beside or over them. */
export async function stateDeleted(folder: string): Promise<string> {
  await using bench = new Bench(folder)
  await ranOnce(bench)
  const before = bench.published().join()
  rmSync(join(folder, '.headrace'), { recursive: true })
  const again = await refusal(bench.start())
  if (again.code !== USAGE || !again.err.includes('target_exists')) {
    throw new Error(`a start without its state: ${again.code} ${again.err}`)
  }
  expect('files', bench.published().join(), before)
  const facts = await bench.verdict()
  rmSync(folder, { recursive: true })
  return facts
}

/** The state is deleted while the pipeline runs: it ends, and what is published stays as it is. */
export async function stateDeletedWhileRunning(folder: string): Promise<string> {
  await using bench = new Bench(folder)
  bench.append()
  const run = bench.start()
  await entered(run, 'claim')
  await bench.all()
  const rows = bench.rows
  rmSync(join(folder, '.headrace'), { recursive: true })
  bench.append()
  const { code, err } = await within('it ends', run.ended)
  if (code === 0 || code === null) throw new Error(`it ended with ${code}: ${err}`)
  const facts = await bench.verdict('out/*.jsonl', rows)
  rmSync(folder, { recursive: true })
  return `${facts}; exit code ${code}`
}

/** Two pipelines write one folder, and both are killed; each has its rows once. */
export async function twoInOneFolder(folder: string): Promise<string> {
  await using bench = new Bench(folder, scriptOf().replace("'out/'", "'file:out/?name=one'"))
  const other = scriptOf().replace('@name p', '@name q').replace("'out/'", "'file:out/?name=two'")
  bench.put('q.sql', other)
  const count = (name: string): number =>
    bench
      .published()
      .filter((file) => file.startsWith(`${name}-`))
      .reduce((sum, file) => sum + readFileSync(join(folder, 'out', file), 'utf8').split('\n').length - 1, 0)
  for (let kill = 0; kill < 4; kill++) {
    const one = bench.start([], { hold: { phase: 'commit', ms: 50 } })
    const two = new PipelineProcess(folder, ['run', 'q.sql'], { hold: { phase: 'commit', ms: 100 } })
    const commits = [one.reached('commit'), two.reached('commit')]
    bench.append()
    await within('both commit', Promise.all(commits))
    for (const run of [one, two]) run.kill()
    await Promise.all([one.ended, two.ended])
  }
  const one = bench.start()
  const two = new PipelineProcess(folder, ['run', 'q.sql'])
  try {
    await within('both start', Promise.all([one.reached('claim'), two.reached('claim')]))
    await until('both are complete', () => count('one') >= bench.rows && count('two') >= bench.rows)
    await bench.stop(one)
    await bench.stop(two)
  } finally {
    two.kill()
    await two.ended
  }
  const facts = [await bench.verdict('out/one-*.jsonl'), await bench.verdict('out/two-*.jsonl')]
  rmSync(folder, { recursive: true })
  return facts.join('; ')
}

function damage(path: string): void {
  const bytes = readFileSync(path)
  bytes[Math.floor(bytes.length / 2)]! ^= 0x10
  writeFileSync(path, bytes)
}

/** The newest snapshot of rows is damaged and no sink holds its epoch: the one before it is used, and told. */
export async function damagedNewest(folder: string): Promise<string> {
  await using bench = new Bench(folder)
  await ranOnce(bench)
  const run = bench.start([], { hold: { phase: 'commit', ms: 500 } })
  const committing = run.reached('commit')
  bench.append()
  await within('a commit', committing)
  run.kill()
  await run.ended
  damage(join(bench.checkpoints, bench.snapshots().at(-1)!))
  const next = bench.start()
  await entered(next, 'claim')
  await bench.all()
  const { err } = await bench.stop(next)
  if (!err.includes('cannot be used')) throw new Error(`the damaged snapshot is not named: ${err}`)
  expect(
    'damaged files put aside',
    readdirSync(bench.checkpoints).filter((name) => name.endsWith('.damaged')).length,
    1,
  )
  const facts = await bench.verdict()
  rmSync(folder, { recursive: true })
  return facts
}

/** The same where the sink holds the epoch: nothing is written until the snapshot is brought back. */
export async function damagedNewestHeld(folder: string): Promise<string> {
  await using bench = new Bench(folder)
  await ranOnce(bench)
  bench.append()
  const run = bench.start([], { hold: { phase: 'mark', ms: 500 } })
  await entered(run, 'mark')
  run.kill()
  await run.ended
  const newest = join(bench.checkpoints, bench.snapshots().at(-1)!)
  cpSync(newest, `${folder}.copy`)
  damage(newest)
  const { code, err } = await refusal(bench.start())
  if (code === 0 || !err.includes('connector_commit_ambiguous'))
    throw new Error(`it starts: ${code} ${err} (${folder})`)
  await bench.verdict()
  rmSync(newest.replace(/ckpt$/, 'damaged'), { force: true })
  cpSync(`${folder}.copy`, newest)
  const next = bench.start()
  await entered(next, 'claim')
  bench.append()
  await bench.all()
  await bench.stop(next)
  const facts = await bench.verdict()
  rmSync(folder, { recursive: true })
  rmSync(`${folder}.copy`)
  return `${facts}; refused with ${code}`
}
