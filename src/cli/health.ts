import { StreamsClientError } from '../client/client.ts'
import type { Io } from './io.ts'

const TIMEOUT_MS = 5000

interface Probe {
  readonly status: string
  readonly missing?: readonly string[]
  readonly failing?: readonly { readonly component: string; readonly cause: string }[]
}

export const serverUrl = (server: string | undefined): string =>
  (server ?? process.env['HEADRACE_SERVER'] ?? 'http://127.0.0.1:8080').replace(/\/+$/, '')

/** Exit code 0: ready and not unhealthy; 1: not; 3: nobody answers (it throws). */
export async function health({ server }: { readonly server?: string }, io: Io, json: boolean): Promise<number> {
  const url = serverUrl(server)
  const [ready, state] = await Promise.all([probe(`${url}/readyz`), probe(`${url}/health`)])
  const ok = ready.ok && state.ok
  if (json)
    io.out(
      `${JSON.stringify({ ready: ready.ok, status: state.body.status, readiness: ready.body, health: state.body })}\n`,
    )
  else {
    const causes = [
      ...(ready.body.missing ?? []),
      ...[...(ready.body.failing ?? []), ...(state.body.failing ?? [])].map(
        ({ component, cause }) => `${component}: ${cause}`,
      ),
    ]
    const detail = causes.length === 0 ? '' : ` (${[...new Set(causes)].join('; ')})`
    io.out(`${ready.ok ? 'ready' : ready.body.status}, ${state.body.status}${detail}\n`)
  }
  return ok ? 0 : 1
}

async function probe(url: string): Promise<{ readonly ok: boolean; readonly body: Probe }> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) })
    return { ok: response.ok, body: (await response.json()) as Probe }
  } catch (error) {
    throw new StreamsClientError('unavailable', `${url} does not answer`, { status: 0, cause: error })
  }
}
