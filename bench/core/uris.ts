import type { Random } from '../../src/core/random.ts'

const SCHEMES = ['kafka', 'postgresql', 's3', 'clickhouse', 'nats', 'redis', 'iceberg']
const LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789'

/** Distinct URIs over many schemes that both parsers accept: hosts with ports, users, escapes, parameters. */
export function makeUris(random: Random, count: number): string[] {
  const word = (least: number): string =>
    Array.from({ length: least + random.below(8) }, () => LETTERS[random.below(LETTERS.length)]).join('')
  return Array.from({ length: count }, (_, i) => {
    const user = random.chance(0.3) ? `${word(3)}:${word(5)}@` : ''
    const port = random.chance(0.7) ? `:${1024 + random.below(60_000)}` : ''
    const segments = Array.from({ length: 1 + random.below(4) }, () =>
      random.chance(0.1) ? `${word(2)}%20${word(2)}` : word(3),
    )
    const params = Array.from({ length: random.below(5) }, () => `${word(4)}=${random.chance(0.1) ? '%2Fx' : word(2)}`)
    const query = params.length === 0 ? '' : `?${params.join('&')}`
    const text = `${random.pick(SCHEMES)}://${user}h${i}.${word(3)}${port}/${segments.join('/')}${query}`
    // One flat string, as from a file: neither side pays for joining the parts.
    return Buffer.from(text, 'latin1').toString('latin1')
  })
}
