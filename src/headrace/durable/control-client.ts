import { request } from 'node:http'
import { HeadraceError } from '../../core/errors.ts'
import { findSocket } from './control-server.ts'

/** Asks a pipeline that runs on this machine; undefined when it does not run. */
export async function askPipeline(
  folder: string,
  pipeline: string,
  call: { readonly method: 'GET' | 'POST'; readonly action: string },
): Promise<unknown> {
  const socketPath = findSocket(folder)
  if (socketPath === undefined) return undefined
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>()
  const path = `/v1/pipelines/${encodeURIComponent(pipeline)}/${call.action}`
  const asked = request({ socketPath, path, method: call.method }, (response) => {
    const chunks: Buffer[] = []
    response.on('data', (chunk: Buffer) => chunks.push(chunk))
    response.on('end', () => resolve({ status: response.statusCode ?? 500, text: Buffer.concat(chunks).toString() }))
    response.on('error', reject)
  })
  asked.on('error', reject)
  asked.end()
  try {
    const { status, text } = await promise
    const body = JSON.parse(text) as { code?: string; message?: string; hint?: string }
    if (status === 200) return body
    throw new HeadraceError('pipeline_refused', `"${pipeline}": ${body.message ?? text}`, { hint: body.hint })
  } catch (error) {
    // A socket that nobody listens to: its process is gone.
    if (['ECONNREFUSED', 'ENOENT', 'ECONNRESET'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
}
