import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const root = join(import.meta.dirname, '../..')

/** A server in a process of its own. */
export class Served {
  readonly url: string
  readonly #child: ChildProcess
  readonly #folder: string | undefined

  private constructor(url: string, child: ChildProcess, folder: string | undefined) {
    this.url = url
    this.#child = child
    this.#folder = folder
  }

  static async bare(): Promise<Served> {
    const child = spawn(process.execPath, [join(import.meta.dirname, 'bare-server.ts')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    return new Served(await firstLine(child), child, undefined)
  }

  /** The built command on an embedded store in a folder of its own. */
  static async ours(): Promise<Served> {
    const folder = mkdtempSync(join(tmpdir(), 'headrace-bench-'))
    const args = [join(root, 'bin/headrace.cjs'), 'serve', '--dev', '--json', '--port', '0', '--data-dir', folder]
    const child = spawn(process.execPath, [...args, '--set', 'log.level=error'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const { url } = JSON.parse(await firstLine(child)) as { readonly url: string }
    return new Served(url, child, folder)
  }

  /** Resident memory in bytes. */
  memory(): number {
    const pages = Number(readFileSync(`/proc/${this.#child.pid}/statm`, 'utf8').split(' ')[1])
    return pages * 4096
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGTERM')
    if (this.#child.exitCode === null) await once(this.#child, 'exit')
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true })
  }
}

async function firstLine(child: ChildProcess): Promise<string> {
  for await (const line of createInterface({ input: child.stdout! })) return line
  throw new Error('the server ended before it said where it is')
}

/** Requests per second of `autocannon` in a process of its own. */
export async function loaded(url: string, form: { readonly seconds: number; readonly body?: string }): Promise<number> {
  const bin = join(root, 'node_modules/autocannon/autocannon.js')
  const body = form.body === undefined ? [] : ['-m', 'POST', '-H', 'content-type=application/json', '-b', form.body]
  const args = [bin, '-j', '-c', '64', '-d', String(form.seconds), ...body, url]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] })
  let text = ''
  for await (const chunk of child.stdout!) text += String(chunk)
  const result = JSON.parse(text) as Load
  if (result.non2xx > 0 || result.errors > 0)
    throw new Error(`${url}: ${result.non2xx} not 2xx, ${result.errors} errors`)
  return result.requests.average
}

interface Load {
  readonly requests: { readonly average: number }
  readonly non2xx: number
  readonly errors: number
}
