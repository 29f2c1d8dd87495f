import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { IntervalTimer } from '../../checkpoint/interval-timer.ts'
import type { Clock } from '../../core/clock.ts'
import { HeadraceError } from '../../core/errors.ts'

/** Who runs a pipeline, as `owner.json` of its folder says (rulings 5). */
export interface Owner {
  readonly host: string
  readonly pid: number
  /** Changes when the machine starts. */
  readonly boot: string
  readonly since: string
  /** Grows with every heartbeat. */
  readonly beat: number
}

/** Between heartbeats. */
export const BEAT_MS = 2000
/** A starter watches the heartbeat of an owner that long. */
const WATCH_MS = 6000
const LOOK_MS = 250

const fileOf = (folder: string): string => join(folder, 'owner.json')

export function readOwner(folder: string): Owner | undefined {
  try {
    return JSON.parse(readFileSync(fileOf(folder), 'utf8')) as Owner
  } catch {
    // Nobody has written it, or somebody writes it now.
    return undefined
  }
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return ''
  }
}

/** False when the process is surely gone: of this machine since its start, and no such process. */
export function mayLive({ host, pid, boot }: Owner): boolean {
  if (host !== hostname() || boot !== bootId()) return true
  if (pid === process.pid) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

/**
 * Waits until it is clear that nobody else runs the pipeline. An owner whose heartbeat moves is left alone: the start is
 * refused. A silent one is fenced by the claim.
 */
export async function refuseSecondStart(
  folder: string,
  pipeline: string,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const first = readOwner(folder)
  if (first === undefined || !mayLive(first)) return
  for (let waited = 0; waited < WATCH_MS; waited += LOOK_MS) {
    await clock.sleep(LOOK_MS, signal)
    signal.throwIfAborted()
    const now = readOwner(folder)
    if (now === undefined) return
    if (now.beat === first.beat && now.pid === first.pid) continue
    throw new HeadraceError(
      'pipeline_running',
      `the pipeline "${pipeline}" is run by process ${now.pid} on ${now.host} since ${now.since}`,
      { hint: 'stop it first, or take it over: --takeover', details: { pid: now.pid, host: now.host } },
    )
  }
}

/** The heartbeat of this process in a folder, until it is closed. */
export class Heartbeat {
  readonly #folder: string
  readonly #timer: IntervalTimer
  readonly #owner: Omit<Owner, 'beat'>
  #beat = 0

  constructor(folder: string, clock: Clock) {
    this.#folder = folder
    const since = new Date(clock.nowMicros() / 1000).toISOString()
    this.#owner = { host: hostname(), pid: process.pid, boot: bootId(), since }
    this.#write()
    this.#timer = new IntervalTimer(clock, BEAT_MS, async () => this.#write())
  }

  #write(): void {
    const file = fileOf(this.#folder)
    try {
      writeFileSync(`${file}.${process.pid}`, `${JSON.stringify({ ...this.#owner, beat: ++this.#beat })}\n`)
      renameSync(`${file}.${process.pid}`, file)
    } catch {
      // Without a heartbeat others may take over: the claim keeps them and us apart.
    }
  }

  /** Leaves: the next start need not watch. */
  async close(): Promise<void> {
    await this.#timer.close()
    if (readOwner(this.#folder)?.pid === process.pid) rmSync(fileOf(this.#folder), { force: true })
  }
}
