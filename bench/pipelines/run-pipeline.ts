import { spawnSync } from 'node:child_process'
import { appendFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { join } from 'node:path'
import type { Bench, BenchRun } from '../lib/bench.ts'
import { clickFile } from '../lib/click-files.ts'
import { compareResults } from '../lib/compare-results.ts'
import { type Command, type Cost, median, type PairResult, percentile, runOnce, runPairs } from '../lib/pairs.ts'
import type { PipelineBench } from './definition.ts'

const root = join(import.meta.dirname, '../..')
const dataDirectory = join(root, 'bench/data')
const RECORDS = 5_000_000
const PAIRS = 15

const quoted = (path: string): string => `'${path}'`
const node = process.execPath
const print = (line: string): boolean => process.stdout.write(`${line}\n`)

export const pipelineBench = (bench: PipelineBench): Bench => ({ name: bench.name, run: (run) => runBench(bench, run) })

function runBench(bench: PipelineBench, run: BenchRun): boolean {
  const records = run.records ?? RECORDS
  const pairs = run.pairs ?? PAIRS
  const input = clickFile(bench.data, records, dataDirectory)
  if (!existsSync(join(root, 'dist/headrace.js'))) throw new Error('run npm run build first: ours is the built package')
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
  for (const bar of bench.bars) {
    const command = bar.peer === 'duckdb' ? peer.command : nodeCommand(input)
    const result = runPairs(ours.command, command, bar.peer === 'duckdb' ? pairs : Math.min(pairs, 5))
    const low = percentile(result.cpuRatios, bar.percentile / 100)
    report(bench, bar.peer, records, result)
    if (low < bar.min) {
      passed = false
      print(`  below the bar: ${low.toFixed(2)} < ${bar.min} at the ${bar.percentile}th percentile`)
    }
  }
  return passed || !run.check
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
    commit: spawnSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8', cwd: root }).stdout.trim(),
    node: process.version,
    cpu: cpus()[0]?.model ?? 'unknown',
    load: round(loadavg()[0]!),
  }
  print(JSON.stringify(line))
  mkdirSync(join(root, 'bench/results'), { recursive: true })
  appendFileSync(join(root, 'bench/results', `${bench.name}.jsonl`), `${JSON.stringify(line)}\n`)
}

const round = (value: number): number => Math.round(value * 100) / 100

function oursCommand(bench: PipelineBench, input: string): { command: Command; output: string } {
  const output = join(dataDirectory, `${bench.name}-ours.jsonl`)
  const script = join(dataDirectory, `${bench.name}.sql`)
  writeFileSync(script, bench.script({ input: quoted(input), output: quoted(output) }))
  return { command: [node, join(root, 'bench/lib/headrace-run.ts'), script], output }
}

function fastestDuckdb(bench: PipelineBench, input: string): { command: Command; output: string; text: string } {
  const candidates = bench.duckdb.map((make, i) => {
    const output = join(dataDirectory, `${bench.name}-duckdb-${i}.jsonl`)
    const text = make({ input: quoted(input), output: quoted(output) })
    const script = join(dataDirectory, `${bench.name}-duckdb-${i}.sql`)
    writeFileSync(script, text)
    const command = [node, join(root, 'bench/peers/duckdb-run.ts'), script]
    runOnce(command)
    const cost = Math.min(runOnce(command).cpuSeconds, runOnce(command).cpuSeconds)
    print(`  DuckDB formulation ${i + 1}: ${cost.toFixed(2)} CPU s`)
    return { command, output, text, cost }
  })
  return candidates.reduce((best, next) => (next.cost < best.cost ? next : best))
}

const nodeCommand = (input: string): Command => [
  node,
  join(root, 'bench/peers/node-run.ts'),
  input,
  join(dataDirectory, 'node-out.jsonl'),
]
