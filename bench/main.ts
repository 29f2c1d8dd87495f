import { benches } from './benches.ts'

// npm run bench -- NAME [--check] [--records N] [--pairs N]
const [name, ...flags] = process.argv.slice(2)
const bench = benches.find((candidate) => candidate.name === name)
if (bench === undefined) {
  process.stderr.write(
    `usage: npm run bench -- NAME [--check] [--records N] [--pairs N]\nbenches: ${benches.map((b) => b.name).join(', ')}\n`,
  )
  process.exit(2)
}
const numberOf = (flag: string): number | undefined => {
  const at = flags.indexOf(flag)
  return at < 0 ? undefined : Number(flags[at + 1])
}
const passed = await bench.run({
  check: flags.includes('--check'),
  records: numberOf('--records'),
  pairs: numberOf('--pairs'),
})
process.exit(passed ? 0 : 1)
