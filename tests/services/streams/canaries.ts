import { Random } from '../../../src/core/random.ts'
import { appUnderTest } from '../../../src/service/testing/app-under-test.ts'
import { crossTenants } from '../../../src/service/testing/canaries.ts'

// Twenty tenants ask 100,000 times for what is not theirs: node tests/services/streams/canaries.ts [requests] [seed]
const [requests = 100_000, seed = 25] = process.argv.slice(2).map(Number)
const LEAST_PER_CASE = 200
const app = appUnderTest({ anonymous: null })
const from = performance.now()
const { byCase, faults, requests: done } = await crossTenants(app, { tenants: 20, requests, random: new Random(seed) })
await app.end()
const least = Math.min(...byCase.values())
const seconds = ((performance.now() - from) / 1000).toFixed(0)
process.stdout.write(
  `canaries: ${done} crossed requests of ${byCase.size} cases (route × method × kind), each at least ${least} times, ` +
    `seed ${seed}: ${faults.length} faults, ${seconds} s\n${faults.map((fault) => `  ${fault}\n`).join('')}`,
)
const isThin = requests >= 100_000 && least < LEAST_PER_CASE
if (isThin) process.stdout.write(`  a case was asked ${least} times, fewer than ${LEAST_PER_CASE}\n`)
process.exitCode = faults.length > 0 || isThin ? 1 : 0
