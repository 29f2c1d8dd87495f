import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { onLines } from '../lines.ts'

/** The system calls by which anything of a cycle can be seen outside the process. */
export const CALLS = [
  'openat',
  'write',
  'pwrite64',
  'fsync',
  'fdatasync',
  'close',
  'link',
  'unlink',
  'rename',
  'mkdir',
  'ftruncate',
] as const
export type CallName = (typeof CALLS)[number]

/** One system call as strace tells it. */
export interface Call {
  readonly name: string
  /** Which call of that name of its thread it was, from 1. */
  readonly nth: number
  /** All that is between the parentheses. */
  readonly text: string
  /** What is behind `= `: a result, or `?` where the process died in it. */
  readonly result: string
  /** Seconds of the wall clock at which it was entered. */
  readonly at: number
}

/** What happens to one call: `kill` before it is made, `stop` when it has been made, or an error in its place. */
export interface Injection {
  readonly name: string
  /** Which call of that name: of those with the path, or of all of the thread. */
  readonly nth: number
  /** Absolute. */
  readonly path: string | undefined
  readonly what: 'kill' | 'stop' | `error=${string}`
}

const injected = (injection: Injection): readonly string[] => {
  const what = { kill: 'signal=KILL', stop: 'signal=STOP' }[injection.what as 'kill' | 'stop'] ?? injection.what
  const path = injection.path === undefined ? [] : ['-P', injection.path]
  return ['-e', `inject=${injection.name}:${what}:when=${injection.nth}`, ...path]
}

const straceArgs = (out: string, injection: Injection | undefined): readonly string[] => [
  ...['-ttt', '-y', '-s', '40', '-o', out, '-e', `trace=${CALLS.join(',')}`],
  ...(injection === undefined ? [] : injected(injection)),
]

/** The program that a pipeline runs under to have its main thread traced, and no other. */
export const tracedMain = (out: string, injection?: Injection): readonly string[] => [
  'strace',
  ...straceArgs(out, injection),
]

/** Traces the one thread of the pool that makes file-system calls; the process must stand still. */
export async function tracePool(pid: number, out: string, injection?: Injection): Promise<ChildProcess> {
  const thread = poolThread(pid)
  const child = spawn('strace', [...straceArgs(out, injection), '-p', String(thread)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  await new Promise<void>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => reject(new Error(`strace ended with ${code}`)))
    onLines(child.stderr!, (line) => {
      if (line.includes('attached')) resolve()
    })
  })
  return child
}

function poolThread(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`).filter(
    (thread) => readFileSync(`/proc/${pid}/task/${thread}/comm`, 'utf8').trim() === 'libuv-worker',
  )
  if (threads.length !== 1) throw new Error(`process ${pid} has ${threads.length} threads in its pool, not 1`)
  return Number(threads[0])
}

/** The calls of one thread in their order; `stopped`: the process stands still behind the last of them. */
export function readCalls(path: string): { readonly calls: readonly Call[]; readonly stopped: boolean } {
  const counts = new Map<string, number>()
  const calls: Call[] = []
  let stopped = false
  for (const timed of readFileSync(path, 'utf8').split('\n')) {
    const [stamp = ''] = timed.split(' ', 1)
    const line = timed.slice(stamp.length + 1)
    if (line.startsWith('--- stopped by SIGSTOP') && calls.length > 0) stopped = true
    const match =
      /^(\w+)\((.*)\)\s+= (.*)$/.exec(line) ?? /^(\w+)\((.*?)(?:\)\s+= |\s*<unfinished .*)(\?.*)?$/.exec(line)
    if (match === null) continue
    const name = match[1]!
    const nth = (counts.get(name) ?? 0) + 1
    counts.set(name, nth)
    calls.push({ name, nth, text: match[2]!, result: match[3] ?? '?', at: Number(stamp) })
    stopped = false
  }
  return { calls, stopped }
}

/** Throws where the tool is missing: a test that cannot look has failed. */
export function needsStrace(): void {
  const { status } = spawnSync('strace', ['--version'])
  if (status !== 0) throw new Error('strace is not there: apt-get install strace')
}
