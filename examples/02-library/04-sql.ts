import { createSink, Headrace } from 'headrace'

await using headrace = await Headrace.open({ state: false })

// A query that ends: all its rows, or one after the other.
const squares = await headrace.sql('SELECT n, n * n AS square FROM GENERATE_SERIES(1, :most) AS s(n)', { most: 3 })
console.log(squares.schema?.fields.map(({ name, type }) => `${name} ${type.kind}`).join(', '))
console.log(await squares.all())

// A stream that code pushes into, and that SQL reads by its name.
const clicks = headrace.stream('clicks', {
  schema: { fields: [{ name: 'page', type: { kind: 'string' }, nullable: true }] },
})
const pages = await headrace.sql("SELECT UPPER(page) AS page FROM clicks WHERE page <> 'b'")
const pushing = (async () => {
  for (const page of ['a', 'b', 'c']) await clicks.source.push({ page })
})()
for await (const { page } of pages) {
  console.log(page)
  // An endless query ends when its reader breaks off.
  if (page === 'C') break
}
await pushing

// A statement with a sink is a pipeline: it runs at once.
const pipeline = await headrace.sql("INSERT INTO 'memory://numbers' SELECT n FROM GENERATE_SERIES(1, 100) AS s(n)")
const { complete, rowsOut } = await pipeline.done()
console.log(complete, rowsOut[0]?.rows, pipeline.status().state)

// What is wrong with a text, with places and fixes.
for (const { code, line, column, fix } of await headrace.validate('SELECT\n  UPER(page) FROM clicks')) {
  console.log(`${line}:${column} ${code}: ${fix}`)
}
await createSink('memory://numbers', {}, { instance: headrace }).close()
