import { chmodSync, existsSync, rmSync } from 'node:fs'
import type { Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHash } from '../../core/crypto.ts'
import { HeadraceError, HeadraceErrors } from '../../core/errors.ts'
import type { RunControl } from '../run-control.ts'

/** A socket's path has at most 107 bytes on Linux, 103 on macOS. */
const PATH_MAX = 100

/** Where the socket of a folder is: in it, or under a short name in the folder for temporary files. */
export function socketOf(folder: string): string {
  const own = join(folder, 'control.sock')
  if (Buffer.byteLength(own) <= PATH_MAX) return own
  const name = createHash('sha256').update(folder).digest('hex').slice(0, 16)
  return join(tmpdir(), `headrace-${name}.sock`)
}

/** The socket of a pipeline that runs; undefined when there is none. */
export function findSocket(folder: string): string | undefined {
  const path = socketOf(folder)
  return existsSync(path) ? path : undefined
}

type Route = (control: RunControl, query: URLSearchParams) => Promise<unknown> | unknown

/** Method and last part of `/v1/pipelines/<name>/…`, as the HTTP service has them. */
const routes: Readonly<Record<string, Route>> = {
  'GET status': (control) => control.status(),
  'GET why': (control) => ({ waits: control.status().waits }),
  'POST checkpoint': async (control) => {
    const { id, epoch } = await control.checkpoint()
    return { id: String(id), epoch: String(epoch) }
  },
  /** `?name=…` */
  'POST savepoint': async (control, query) => {
    const name = query.get('name') ?? ''
    const { id, epoch } = await control.savepoint(name)
    return { name, id: String(id), epoch: String(epoch) }
  },
  'POST pause': async (control) => {
    await control.pause()
    return { state: 'paused' }
  },
  'POST resume': (control) => {
    control.resume()
    return { state: 'running' }
  },
  'POST stop': (control) => {
    control.stop()
    return { state: 'stopping' }
  },
}

/** Serves the handle on a running pipeline to the commands of the same user (rulings 6). */
export class ControlServer {
  readonly #path: string
  readonly #server: Server
  control: RunControl | undefined

  private constructor(path: string) {
    this.#path = path
    // `import` of this module reads every export, one of which loads an HTTP client: 75 ms of CPU.
    const { createServer } = process.getBuiltinModule('node:http')
    this.#server = createServer((request, response) => {
      const [path = '', query = ''] = (request.url ?? '').split('?')
      const route = routes[`${request.method} ${path.split('/').at(-1)}`]
      this.#answer(route, new URLSearchParams(query))
        .catch((error: unknown) => failure(error))
        .then(({ status, body }) => {
          response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`)
        })
    })
    this.#server.unref()
  }

  async #answer(route: Route | undefined, query: URLSearchParams): Promise<{ status: number; body: unknown }> {
    if (route === undefined) return { status: 404, body: { code: 'cli_usage', message: 'no such route' } }
    if (this.control === undefined) {
      return { status: 503, body: { code: 'pipeline_refused', message: 'the pipeline is starting or has ended' } }
    }
    return { status: 200, body: await route(this.control, query) }
  }

  /** A socket that a dead process left is replaced: the caller owns the folder. */
  static async open(folder: string): Promise<ControlServer> {
    const path = socketOf(folder)
    rmSync(path, { force: true })
    const server = new ControlServer(path)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    server.#server.once('error', reject)
    server.#server.listen(path, resolve)
    await promise
    chmodSync(path, 0o600)
    return server
  }

  async close(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#server.close(() => resolve())
    this.#server.closeAllConnections()
    await promise
    rmSync(this.#path, { force: true })
  }
}

function failure(error: unknown): { status: number; body: unknown } {
  const first = error instanceof HeadraceErrors ? error.errors[0] : error
  if (!(first instanceof HeadraceError))
    return { status: 500, body: { code: 'internal_assertion', message: String(error) } }
  const { code, message, hint, httpStatus } = first
  return { status: httpStatus, body: { code, message, hint } }
}
