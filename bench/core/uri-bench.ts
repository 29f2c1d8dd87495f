import { fileOptions } from '../../src/connectors/file/options.ts'
import { parseOptions } from '../../src/core/options.ts'
import { Random } from '../../src/core/random.ts'
import { parseUri } from '../../src/core/uri.ts'
import type { Bench, BenchRun } from '../lib/bench.ts'
import { median, percentile } from '../lib/pairs.ts'
import { makeUris } from './uris.ts'

const URIS = 50_000
const PAIRS = 15
const SEED = 7

/** Both sides read every host, port, user, decoded path segment and parameter into a checksum. */
function ours(texts: readonly string[]): number {
  let sum = 0
  for (const text of texts) {
    const uri = parseUri(text)
    for (const host of uri.hosts) sum += host.name.length + (host.port ?? 0)
    sum += (uri.user?.length ?? 0) + (uri.password?.length ?? 0)
    for (const segment of uri.path) sum += segment.length
    for (const { name, value } of uri.params) sum += name.length + (value?.length ?? 0)
  }
  return sum
}

function theirs(texts: readonly string[]): number {
  let sum = 0
  for (const text of texts) {
    const url = new URL(text)
    sum += url.hostname.length + Number(url.port)
    sum += decodeURIComponent(url.username).length + decodeURIComponent(url.password).length
    for (const segment of url.pathname.slice(1).split('/')) sum += decodeURIComponent(segment).length
    for (const [name, value] of url.searchParams) sum += name.length + value.length
  }
  return sum
}

/** Parsing and the full option check, as naming a source does. */
function checked(texts: readonly string[]): number {
  let sum = 0
  for (const text of texts) {
    const uri = parseUri(text)
    const given = uri.params.map(({ name, value }) => ({ name, value, origin: 'URI parameter' }))
    const options = parseOptions(fileOptions, given, { side: 'source', subject: 'source file' })
    sum += uri.path.length + (options['batch_rows'] as number)
  }
  return sum
}

function timed(task: (texts: readonly string[]) => number, texts: readonly string[]): { seconds: number; sum: number } {
  const before = process.cpuUsage()
  const sum = task(texts)
  const { user, system } = process.cpuUsage(before)
  return { seconds: (user + system) / 1e6, sum }
}

/** `parseUri` against `new URL` with searchParams; distinct URIs each round, no cache keyed by URI. */
export const uriBench: Bench = {
  name: 'uri',
  run(run: BenchRun): boolean {
    const random = new Random(SEED)
    const ratios: number[] = []
    const shares: number[] = []
    for (let pair = -2; pair < (run.pairs ?? PAIRS); pair++) {
      const texts = makeUris(random, run.records ?? URIS)
      const files = texts.map(
        (_, i) => `file:///data/${i}/x${i}.csv?format=csv&batch_rows=${1 + (i % 8192)}&recursive=true`,
      )
      const [first, second] = pair % 2 === 0 ? ([ours, theirs] as const) : ([theirs, ours] as const)
      const a = timed(first, texts)
      const b = timed(second, texts)
      if (a.sum !== b.sum) throw new Error(`the parsers disagree: ${a.sum} and ${b.sum}`)
      const parse = timed(ours, files)
      const check = timed(checked, files)
      if (pair < 0) continue
      const [own, other] = pair % 2 === 0 ? [a, b] : [b, a]
      ratios.push(other.seconds / own.seconds)
      shares.push(parse.seconds / check.seconds)
    }
    process.stdout.write(
      `parseUri ÷ new URL with searchParams: median ${median(ratios).toFixed(2)}, p20 ${percentile(ratios, 0.2).toFixed(2)} (bar 2)\n`,
    )
    process.stdout.write(
      `with the full option check ÷ parseUri: median ${median(shares).toFixed(2)}, p20 ${percentile(shares, 0.2).toFixed(2)} (bar 0.5)\n`,
    )
    const passed = percentile(ratios, 0.2) >= 2 && percentile(shares, 0.2) >= 0.5
    return passed || !run.check
  },
}
