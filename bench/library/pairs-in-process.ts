import { spawnSync } from 'node:child_process'
import { appendFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { join } from 'node:path'
import { median, percentile } from '../lib/pairs.ts'

/**
 * Two ways to do the same work, each made before its clock starts; they do `n` units and give a sum on which they must
 * agree. `bar` is the least that peer ÷ ours may be, at the 20th percentile.
 */
export interface Comparison {
  readonly name: string
  readonly ours: () => (n: number) => number | Promise<number>
  readonly peer: () => (n: number) => number | Promise<number>
  readonly bar: number
  readonly units: number
}

interface Timed {
  readonly cpuSeconds: number
  readonly wallSeconds: number
  readonly sum: number
}

async function timed(make: Comparison['ours'], n: number): Promise<Timed> {
  // Made anew each time, outside the measurement.
  const run = make()
  const cpu = process.cpuUsage()
  const wall = performance.now()
  const sum = await run(n)
  const { user, system } = process.cpuUsage(cpu)
  return { cpuSeconds: (user + system) / 1e6, wallSeconds: (performance.now() - wall) / 1000, sum }
}

const WARM_UP = 6
const root = join(import.meta.dirname, '../..')
const rounded = (value: number): number => Math.round(value * 100) / 100

/** A dated line in `bench/results/`, losses as well as wins. */
function record(line: Readonly<Record<string, unknown>>): void {
  const commit = spawnSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' }).stdout.trim()
  const machine = { commit, node: process.version, cpu: cpus()[0]?.model, load: rounded(loadavg()[0]!) }
  const text = JSON.stringify({ date: new Date(Date.now()).toISOString().slice(0, 10), ...line, ...machine })
  appendFileSync(join(root, 'bench/results/library.jsonl'), `${text}\n`)
}

/** Pairs in ABBA order in one process, printed; true when the bar is reached. */
export async function compare(
  { name, ours, peer, bar, units }: Comparison,
  form: { readonly pairs: number; readonly records: number | undefined },
): Promise<boolean> {
  const n = form.records ?? units
  const ratios: number[] = []
  const walls: number[] = []
  const nanos: number[] = []
  const peerNanos: number[] = []
  for (let pair = -WARM_UP; pair < form.pairs; pair++) {
    const oursFirst = pair % 2 === 0
    const first = await timed(oursFirst ? ours : peer, n)
    const second = await timed(oursFirst ? peer : ours, n)
    const [own, other] = oursFirst ? [first, second] : [second, first]
    if (own.sum !== other.sum) throw new Error(`${name}: the sides disagree: ${own.sum} and ${other.sum}`)
    if (pair < 0) continue
    ratios.push(other.cpuSeconds / own.cpuSeconds)
    walls.push(other.wallSeconds / own.wallSeconds)
    nanos.push((own.wallSeconds / n) * 1e9)
    peerNanos.push((other.wallSeconds / n) * 1e9)
  }
  const p20 = percentile(ratios, 0.2)
  if (form.records === undefined) {
    record({
      bench: 'library',
      comparison: name,
      units: n,
      pairs: form.pairs,
      cpu_ratio_median: rounded(median(ratios)),
      cpu_ratio_p20: rounded(p20),
      wall_ratio_median: rounded(median(walls)),
      bar,
      ours_ns: rounded(median(nanos)),
      peer_ns: rounded(median(peerNanos)),
    })
  }
  process.stdout.write(
    `${name}: peer ÷ ours median ${median(ratios).toFixed(2)}, p20 ${p20.toFixed(2)} (bar ${bar}), wall median ` +
      `${median(walls).toFixed(2)}; ours ${median(nanos).toFixed(1)} ns, peer ${median(peerNanos).toFixed(1)} ns\n`,
  )
  return p20 >= bar
}
