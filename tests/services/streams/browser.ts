import { createServer } from 'node:http'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import { build } from 'rolldown'
import { StreamsClient } from '../../../src/client/client.ts'
import { ServiceProcess } from './service-process.ts'

// A page in Chromium (apt: chromium) subscribes through the typed client, goes offline and comes back: what it has seen is
// what the service has, in order, nothing twice.
const FRAMES = 60
const root = join(import.meta.dirname, '../../..')

/** The client as a page loads it: one file, nothing of Node. */
async function clientBundle(): Promise<string> {
  const { output } = await build({
    cwd: root,
    input: 'src/client/client.ts',
    platform: 'browser',
    write: false,
    output: { format: 'esm' },
  })
  return output[0].code
}

const bundle = await clientBundle()
const site = createServer((request, response) => {
  const isScript = request.url === '/client.js'
  response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html')
  response.end(isScript ? bundle : '<!doctype html><title>frames</title>')
})
site.listen(0, '127.0.0.1')
await new Promise((resolve) => site.once('listening', resolve))
const origin = `http://127.0.0.1:${(site.address() as { readonly port: number }).port}`
await using service = await ServiceProcess.start([`streams.cors.origins=${origin}`])
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] })
try {
  const client = new StreamsClient({ baseUrl: service.url })
  const stream = await client.createStream({ name: 'page', symbol: 'PAGE' })
  const context = await browser.newContext()
  const page = await context.newPage()
  await page.goto(origin)
  await page.evaluate(
    async ({ url, id, frames, script }) => {
      const { StreamsClient: Client } = (await import(script)) as typeof import('../../../src/client/client.ts')
      const seen: string[] = []
      Object.assign(globalThis, { seen })
      const ready = Promise.withResolvers<void>()
      void (async () => {
        const reader = new Client({ baseUrl: url }).subscribe(id, { onReady: () => ready.resolve() })
        for await (const frame of reader) {
          seen.push(String(frame.position))
          if (seen.length === frames) break
        }
      })()
      await ready.promise
    },
    { url: service.url, id: stream.id, frames: FRAMES, script: `${origin}/client.js` },
  )
  const post = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) await client.createFrame(stream.id, { payload: { i } })
  }
  const seenAtLeast = (count: number) =>
    page.waitForFunction((least) => (globalThis as unknown as { seen: string[] }).seen.length >= least, count, {
      timeout: 60_000,
    })
  await post(20)
  await seenAtLeast(20)
  await context.setOffline(true)
  await post(20)
  await context.setOffline(false)
  await post(20)
  await seenAtLeast(FRAMES)
  const seen = await page.evaluate(() => (globalThis as unknown as { seen: string[] }).seen)
  const expected = Array.from({ length: FRAMES }, (_, i) => String(i + 1))
  const same = JSON.stringify(seen) === JSON.stringify(expected)
  process.stdout.write(
    `browser: ${seen.length} positions on the page, ${same ? 'those of the service' : `not those of the service: ${seen.join(' ')}`}\n`,
  )
  process.exitCode = same ? 0 : 1
} finally {
  await browser.close()
  site.close()
}
