import { freshSeed } from '../../src/core/random.ts'
import { r2 } from './calls/r2.ts'
import { r3 } from './calls/r3.ts'
import { r10 } from './calls/r10.ts'
import { r5 } from './orders/damaged-snapshots.ts'
import { r6 } from './orders/full-disk.ts'
import { r19 } from './orders/jumping-clock.ts'
import { r31 } from './orders/large-state.ts'
import { r13 } from './orders/many-keys.ts'
import { namedOrders, r7 } from './orders/orders.ts'
import { rotatedTail } from './orders/rotated-tail.ts'
import { r33 } from './planted/r33.ts'
import { r1 } from './r1/r1.ts'
import { type Form, Report } from './report.ts'

// Breaks pipelines on purpose. Arguments: --full, --seed N, --only CASE, --save-points, names of tests (R1, R2, orders…); all
// quick ones by default.

const args = process.argv.slice(2)
const option = (name: string): string | undefined => {
  const at = args.indexOf(name)
  return at < 0 ? undefined : args[at + 1]
}
const form: Form = {
  full: args.includes('--full'),
  seed: Number(option('--seed') ?? freshSeed()),
  only: option('--only'),
  savePoints: args.includes('--save-points'),
}
const tests: Readonly<Record<string, (form: Form, report: Report) => Promise<void>>> = {
  R1: r1,
  R2: r2,
  R3: r3,
  R5: r5,
  R6: r6,
  R7: r7,
  R10: r10,
  R13: r13,
  R19: r19,
  orders: namedOrders,
  tail: rotatedTail,
  R31: r31,
  R33: r33,
}
const values = new Set([option('--seed'), option('--only')])
const wanted = args.filter((arg) => !arg.startsWith('--') && !values.has(arg))
const unknown = wanted.filter((name) => !(name in tests))
if (unknown.length > 0)
  throw new Error(`no such test: ${unknown.join(', ')}; there are ${Object.keys(tests).join(', ')}`)
const report = new Report()
for (const [name, run] of Object.entries(tests)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue
  try {
    await run(form, report)
  } catch (error) {
    report.line(name, false, `seed ${form.seed}; ${String(error)}`)
  }
}
report.say(`${report.passed} passed, ${report.failed} failed`)
process.exitCode = report.failed === 0 ? 0 : 1
