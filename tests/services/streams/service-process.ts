import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const main = join(import.meta.dirname, '../../../src/cli/main.ts')

/** `headrace serve --dev` in a process and a folder of its own. */
export class ServiceProcess {
  readonly url: string
  readonly #child: ChildProcess
  readonly #folder: string

  private constructor(url: string, child: ChildProcess, folder: string) {
    this.url = url
    this.#child = child
    this.#folder = folder
  }

  static async start(settings: readonly string[] = []): Promise<ServiceProcess> {
    const folder = mkdtempSync(join(tmpdir(), 'headrace-service-'))
    const args = [main, 'serve', '--dev', '--json', '--port', '0', '--data-dir', folder]
    const set = settings.length === 0 ? [] : ['--set', ...settings]
    const child = spawn(process.execPath, [...args, ...set], { stdio: ['ignore', 'pipe', 'pipe'] })
    let log = ''
    child.stderr.on('data', (chunk: Buffer) => {
      log = `${log}${chunk.toString()}`.slice(-100_000)
    })
    for await (const line of createInterface({ input: child.stdout })) {
      const { url } = JSON.parse(line) as { readonly url: string }
      return new ServiceProcess(url, child, folder)
    }
    throw new Error(`the service ended before it was ready:\n${log}`)
  }

  /** It has not ended by itself. */
  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.isRunning) {
      this.#child.kill('SIGTERM')
      await once(this.#child, 'exit')
    }
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

/** A stream with some frames, a reader and a refused request: something for every metric. */
export async function used(url: string): Promise<string> {
  const post = async (path: string, body: unknown): Promise<Response> =>
    await fetch(`${url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  const stream = await post('/v1/streams', {
    name: 'n',
    symbol: 's',
    sla_ms: 10,
    frequency: '1s',
    sequence_mode: 'dense',
  })
  const { id } = (await stream.json()) as { readonly id: string }
  for (const frame of [{ sequence: 1 }, { sequence: 1 }, { sequence: 0 }, { sequence: 3, latency_ms: 99 }]) {
    await post(`/v1/streams/${id}/frames`, frame)
  }
  await fetch(`${url}/v1/streams/${id}/subscribe?from=earliest`)
  await fetch(`${url}/nothing`)
  return id
}
