import { fastify } from 'fastify'

// What ours is compared with: a handler that parses a frame and answers it, one that answers what it was given last, and
// one that writes events to everybody who listens. Nothing is kept. Prints its address.
const app = fastify({ logger: false })
let last: unknown = { sequence: 1, payload: { price: 1850.5 } }
const readers = new Set<import('node:http').ServerResponse>()

app.post('/frames', (request, reply) => {
  last = request.body
  reply.code(201).send(request.body)
})
app.get('/latest', (_request, reply) => {
  reply.send(last)
})
app.get('/events', (_request, reply) => {
  reply.hijack()
  reply.raw.writeHead(200, { 'content-type': 'text/event-stream' })
  reply.raw.write('event: ready\ndata: {}\n\n')
  readers.add(reply.raw)
  reply.raw.on('close', () => readers.delete(reply.raw))
})
/** As many events as are asked for, of about the size of ours, to every reader. */
app.post('/emit', (request, reply) => {
  const { count, text } = request.body as { readonly count: number; readonly text: string }
  for (let i = 0; i < count; i++) for (const reader of readers) reader.write(text)
  reply.code(204).send()
})
process.stdout.write(`${await app.listen({ port: 0, host: '127.0.0.1' })}\n`)
process.on('SIGTERM', () => process.exit(0))
