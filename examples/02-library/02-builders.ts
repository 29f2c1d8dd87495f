import { ConfigError, createSource, fileSink, fileSource, sourceBuilder } from 'headrace'

// Every call gives a new builder; only what the scheme and the side have is offered.
const orders = fileSource().path('/data/orders.csv').format('csv')
const semicolons = orders.delimiter(';').batchRows(500)
console.log(orders.toUri())
console.log(semicolons.toUri())
console.log(semicolons.build().uri)
console.log(fileSink().path('/out/').partitionBy('country', 'day').toUri())
console.log(sourceBuilder('datagen').host('rows').option('rows', 10).option('field', { id: 'seq(1,1)' }).toUri())

// All that is wrong comes at once.
try {
  createSource('file:///data/orders.csv?formt=csv', { batchRows: 0 })
} catch (error) {
  if (!(error instanceof ConfigError)) throw error
  for (const { code, option, hint } of error.problems) console.log(`${code}: ${option} (${hint})`)
}
