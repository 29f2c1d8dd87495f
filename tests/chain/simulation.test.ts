import { expect, test } from 'vitest'
import { simulate, type Tally } from '../../src/testkit/chain-simulation.ts'

/** HEADRACE_CHAIN_SEEDS=1000 is the full form; HEADRACE_CHAIN_SEED=7 repeats one. */
const seeds = Number(process.env['HEADRACE_CHAIN_SEEDS'] ?? 3)
const only = process.env['HEADRACE_CHAIN_SEED']
const full = seeds >= 1000
const STEPS = 200

const FAULTS = [
  'status',
  'stall',
  'cut',
  'oversized',
  'garbage',
  'gap',
  'repeat',
  'wrong_hash',
  'half',
  'empty',
  'cut_frame',
]
const DEPTHS = ['1', '2–10', 'over 100']

test(
  `${seeds} seeds of ${STEPS} steps: the chain that was read is the server's`,
  async () => {
    const tally: Tally = new Map()
    const first = Number(only ?? 1)
    for (let seed = first; seed < first + (only === undefined ? seeds : 1); seed++) {
      await simulate(seed, { steps: STEPS, tally }).catch((error: unknown) => {
        throw new Error(`seed ${seed}: HEADRACE_CHAIN_SEED=${seed} npm test -- tests/chain`, { cause: error })
      })
    }
    const rows = [...tally].sort(([a], [b]) => (a < b ? -1 : 1)).map(([what, n]) => `${what.padEnd(34)} ${n}`)
    process.stdout.write(`${seeds} seeds of ${STEPS} steps\n${rows.join('\n')}\n`)
    if (!full) return
    for (const fault of FAULTS) expect(tally.get(`fault ${fault}`), fault).toBeGreaterThanOrEqual(100)
    for (const depth of DEPTHS) expect(tally.get(`rollbacks of depth ${depth}`), depth).toBeGreaterThanOrEqual(50)
    expect(tally.get('kills')).toBeGreaterThanOrEqual(30)
  },
  Math.max(60_000, seeds * 5_000),
)

test('a planted bug is found', async () => {
  const tally: Tally = new Map()
  await expect(simulate(1, { steps: STEPS, tally, planted: 'checkpoint before the handler' })).rejects.toThrow()
})
