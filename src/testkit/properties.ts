import { freshSeed, Random } from '../core/random.ts'

/** A system and its model, driven by the same commands. */
export interface Property<C> {
  readonly name: string
  /** Draws one command. */
  draw(random: Random): C
  /** Name of a command, for the table of counts. */
  nameOf(command: C): string
  /**
   * Runs the commands on both sides; throws where they differ. `policy` is one of `policies`; `count` is told of a
   * command that really ran.
   */
  run(commands: readonly C[], policy: string, count: (command: string) => void): Promise<void>
  readonly policies: readonly string[]
}

/** How many seeds and steps: a few in every run, all of them with HEADRACE_PROPERTY_SEEDS. */
export const propertyForm = (quick: number): { readonly seeds: number; readonly steps: number } => ({
  seeds: Number(process.env['HEADRACE_PROPERTY_SEEDS'] ?? quick),
  steps: Number(process.env['HEADRACE_PROPERTY_STEPS'] ?? 200),
})

const commandsOf = <C>(property: Property<C>, seed: number, steps: number): C[] => {
  const random = new Random(seed)
  return Array.from({ length: steps }, () => property.draw(random))
}

/** Runs every seed under the policy that is its turn; a failure is thrown with its shortest form. Gives the table. */
export async function checkProperty<C>(
  property: Property<C>,
  { seeds, steps }: { readonly seeds: number; readonly steps: number },
  first: number = Number(process.env['HEADRACE_PROPERTY_FIRST'] ?? freshSeed() >>> 8),
): Promise<string> {
  const counts = new Map<string, number>()
  for (let seed = first; seed < first + seeds; seed++) {
    const policy = property.policies[seed % property.policies.length]!
    const count = (command: string): void => {
      const key = `${command}\t${policy}`
      counts.set(key, (counts.get(key) ?? 0) + 1)
    }
    const commands = commandsOf(property, seed, steps)
    try {
      await property.run(commands, policy, count)
    } catch (error) {
      const shortest = await shrink(property, commands, policy)
      const lines = shortest.map((command) => `  ${JSON.stringify(command)}`).join('\n')
      const last = await failureOf(property, shortest, policy)
      throw new Error(
        `${property.name} fails with seed ${seed}, policy ${policy} (HEADRACE_PROPERTY_FIRST=${seed} ` +
          `HEADRACE_PROPERTY_SEEDS=1 HEADRACE_PROPERTY_STEPS=${steps}):\n${lines}\n${String((last as Error)?.stack ?? last)}`,
        { cause: error },
      )
    }
  }
  return table(property, counts, { first, seeds, steps })
}

/** What a run fails with; undefined when it does not. */
async function failureOf<C>(property: Property<C>, commands: readonly C[], policy: string): Promise<unknown> {
  try {
    await property.run(commands, policy, () => undefined)
    return undefined
  } catch (error) {
    return error
  }
}

/** Leaves out commands, first many at once, for as long as the rest still fails. */
async function shrink<C>(property: Property<C>, commands: readonly C[], policy: string): Promise<readonly C[]> {
  let shortest = commands
  for (let size = commands.length >> 1; size >= 1; ) {
    let shorter: readonly C[] | undefined
    for (let at = 0; at < shortest.length; at += size) {
      const candidate = [...shortest.slice(0, at), ...shortest.slice(at + size)]
      if ((await failureOf(property, candidate, policy)) === undefined) continue
      shorter = candidate
      break
    }
    if (shorter !== undefined) shortest = shorter
    else size = size >> 1
  }
  return shortest
}

function table<C>(
  property: Property<C>,
  counts: ReadonlyMap<string, number>,
  { first, seeds, steps }: { readonly first: number; readonly seeds: number; readonly steps: number },
): string {
  const commands = [...new Set([...counts.keys()].map((key) => key.split('\t')[0]!))].sort()
  const rows = commands.map((command) => [
    command,
    ...property.policies.map((policy) => String(counts.get(`${command}\t${policy}`) ?? 0)),
  ])
  const all = [['command', ...property.policies], ...rows]
  const widths = all[0]!.map((_, column) => Math.max(...all.map((row) => row[column]!.length)))
  const lines = all.map((row) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  '),
  )
  return [`${property.name}: seeds ${first} to ${first + seeds - 1}, ${steps} steps each`, ...lines].join('\n')
}

/** The smallest count of the table, for a run that has to reach every pair. */
export const smallestCount = (text: string): number =>
  Math.min(
    ...text
      .split('\n')
      .slice(2)
      .flatMap((line) => line.trim().split(/ {2,}/).slice(1).map(Number)),
  )

/** Lets everything go on that waits for nothing but promises. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 12; i++) await undefined
}

/** Follows a promise: `pending`, its value as text, or the kind of its error. */
class Watched {
  state = 'pending'

  constructor(promise: Promise<unknown>) {
    promise.then(
      (value) => {
        this.state = value === undefined ? 'done' : `done ${String(value)}`
      },
      (error: { readonly kind?: string; readonly message: string }) => {
        this.state = error.kind ?? error.message
      },
    )
  }
}

/** Promises by number, against the states that a model has for them. */
export class WatchedList {
  readonly #all: Watched[] = []
  /** Those that were pending at the last comparison. */
  #open: number[] = []

  get length(): number {
    return this.#all.length
  }

  add(promise: Promise<unknown>): void {
    this.#open.push(this.#all.length)
    this.#all.push(new Watched(promise))
  }

  /** Throws at the first promise that is not as the model has it. */
  compare(states: readonly string[]): void {
    this.#open = this.#open.filter((at) => {
      const { state } = this.#all[at]!
      if (state !== states[at]) throw new Error(`promise ${at} is "${state}", the model has "${states[at]}"`)
      return state === 'pending'
    })
  }
}
