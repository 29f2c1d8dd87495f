import { spawnSync } from 'node:child_process'
import { appendFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { join } from 'node:path'
import type { Bench, BenchRun } from '../lib/bench.ts'
import { compareResults } from '../lib/compare-results.ts'
import { type Command, type Cost, median, type PairResult, percentile, runOnce, runPairs } from '../lib/pairs.ts'
import { measured, measuredHeadrace } from '../lib/programs.ts'
import { drawShapes } from '../lib/shapes.ts'
import type { PipelineBench } from './definition.ts'

const root = join(import.meta.dirname, '../..')
const dataDirectory = join(root, 'bench/data')
const RECORDS = 5_000_000
const PAIRS = 15
const DRAWN_RECORDS = 2_000_000

const quoted = (path: string): string => `'${path}'`
const print = (line: string): boolean => process.stdout.write(`${line}\n`)

export const pipelineBench = (bench: PipelineBench): Bench => ({ name: bench.name, run: (run) => runAll(bench, run) })

/** The published shape, then three drawn ones: the median shape holds the bar, none is under the least ratio. */
function runAll(bench: PipelineBench, run: BenchRun): boolean {
  const passed = runBench(bench, run).passed
  if (bench.drawn === undefined || run.records !== undefined) return passed || !run.check
  const bar = bench.bars.find(({ peer }) => peer === 'duckdb')!
  const shapes = drawShapes(commit(), bench.nested)
  const ratios = shapes.map(
    (shape) =>
      runBench({ ...bench.drawn!(shape), bars: [{ ...bar, min: bench.drawnMin }] }, { ...run, records: DRAWN_RECORDS })
        .low,
  )
  const middle = median(ratios)
  print(
    `drawn shapes: ${ratios.map((ratio) => ratio.toFixed(2)).join(', ')}; median ${middle.toFixed(2)} (bar ${bar.min}), least (bar ${bench.drawnMin})`,
  )
  return (passed && middle >= bar.min && Math.min(...ratios) >= bench.drawnMin) || !run.check
}

function runBench(bench: PipelineBench, run: BenchRun): { readonly passed: boolean; readonly low: number } {
  const records = run.records ?? RECORDS
  const pairs = run.pairs ?? PAIRS
  const input = bench.data(records, dataDirectory)
  if (!existsSync(join(root, 'dist/main.cjs'))) throw new Error('run npm run build first: ours is the built package')
  print(`${bench.name}: ${records} records, ${pairs} pairs, process start inside on both sides, one CPU`)
  print(
    `machine: ${cpus()[0]?.model ?? 'unknown'}, ${cpus().length} cores, load ${loadavg()[0]!.toFixed(2)}, Node ${process.version}`,
  )
  const ours = oursCommand(bench, input)
  const peer = fastestDuckdb(bench, input)
  runOnce(ours.command)
  const rows = compareResults(bench, ours.output, peer.output)
  print(`results agree: ${rows} rows`)
  print(`peer text:${peer.text}`)
  let passed = true
  let lowest = Number.POSITIVE_INFINITY
  for (const bar of bench.bars) {
    const command = bar.peer === 'duckdb' ? peer.command : nodeCommand(input)
    const result = runPairs(ours.command, command, bar.peer === 'duckdb' ? pairs : Math.min(pairs, 5))
    const low = percentile(result.cpuRatios, bar.percentile / 100)
    report(bench, bar.peer, records, result)
    if (bar.peer === 'duckdb') lowest = low
    if (low < bar.min) {
      passed = false
      print(`  below the bar: ${low.toFixed(2)} < ${bar.min} at the ${bar.percentile}th percentile`)
    }
  }
  return { passed, low: lowest }
}

function report(bench: PipelineBench, peer: string, records: number, result: PairResult): void {
  const cpu = (costs: readonly Cost[]): number => median(costs.map((cost) => cost.cpuSeconds))
  const line = {
    date: new Date(Math.round(performance.timeOrigin)).toISOString().slice(0, 10),
    bench: bench.name,
    peer,
    records,
    cpu_ratio_median: round(median(result.cpuRatios)),
    cpu_ratio_p20: round(percentile(result.cpuRatios, 0.2)),
    wall_ratio_median: round(median(result.wallRatios)),
    ours_cpu_s: round(cpu(result.ours)),
    peer_cpu_s: round(cpu(result.peer)),
    ours_records_per_cpu_s: Math.round(records / cpu(result.ours)),
    ours_peak_mb: Math.round(median(result.ours.map((cost) => cost.peakMegabytes))),
    peer_peak_mb: Math.round(median(result.peer.map((cost) => cost.peakMegabytes))),
    commit: commit().slice(0, 7),
    node: process.version,
    cpu: cpus()[0]?.model ?? 'unknown',
    load: round(loadavg()[0]!),
  }
  print(JSON.stringify(line))
  mkdirSync(join(root, 'bench/results'), { recursive: true })
  appendFileSync(join(root, 'bench/results', `${bench.name.split(' ')[0]}.jsonl`), `${JSON.stringify(line)}\n`)
}

const commit = (): string => spawnSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8', cwd: root }).stdout.trim()

const round = (value: number): number => Math.round(value * 100) / 100

function oursCommand(bench: PipelineBench, input: string): { command: Command; output: string } {
  const output = join(dataDirectory, `${fileName(bench)}-ours.jsonl`)
  const script = join(dataDirectory, `${fileName(bench)}.sql`)
  const text = bench.script({ input: quoted(input), output: quoted(output) })
  writeFileSync(script, `-- @name bench_${fileName(bench).replace(/\W/g, '_')}\n${text}\n`)
  return { command: measuredHeadrace('run', '--data-dir', join(dataDirectory, 'state'), script), output }
}

function fastestDuckdb(bench: PipelineBench, input: string): { command: Command; output: string; text: string } {
  const candidates = bench.duckdb.map((make, i) => {
    const output = join(dataDirectory, `${fileName(bench)}-duckdb-${i}.jsonl`)
    const text = make({ input: quoted(input), output: quoted(output) })
    const script = join(dataDirectory, `${fileName(bench)}-duckdb-${i}.sql`)
    writeFileSync(script, text)
    const command = measured('bench/peers/duckdb-run.ts', script)
    runOnce(command)
    const cost = Math.min(runOnce(command).cpuSeconds, runOnce(command).cpuSeconds)
    print(`  DuckDB formulation ${i + 1}: ${cost.toFixed(2)} CPU s`)
    return { command, output, text, cost }
  })
  return candidates.reduce((best, next) => (next.cost < best.cost ? next : best))
}

const fileName = (bench: PipelineBench): string => bench.name.replace(' ', '-')

const nodeCommand = (input: string): Command =>
  measured('bench/peers/node-run.ts', input, join(dataDirectory, 'node-out.jsonl'))
