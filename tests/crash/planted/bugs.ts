/** A fault that somebody could make, and the test that must find it. */
export interface Bug {
  readonly name: string
  readonly patches: readonly Patch[]
  /** Run in a copy of the project; must fail there and pass in an unchanged one. */
  readonly caughtBy: readonly string[]
}

export interface Patch {
  readonly file: string
  /** Must occur once. */
  readonly old: string
  readonly now: string
}

const crash = (...args: readonly string[]): readonly string[] => ['node', 'tests/crash/main.ts', ...args]

/** The property test of a file, in the seeds of its full form. */
const properties = (file: string): readonly string[] => [
  'env',
  'HEADRACE_PROPERTY_FIRST=1',
  'HEADRACE_PROPERTY_SEEDS=10000',
  ...['vitest', 'run', '--config', 'vitest.config.ts', `src/${file}.property.test.ts`],
]

export const bugs: readonly Bug[] = [
  {
    name: 'output before its snapshot is stored',
    patches: [
      {
        file: 'src/runtime/delivery/cycle.ts',
        old: "    this.#enter('persist', epoch)\n",
        now: "    await this.#commit(epoch, tokens, undefined)\n    this.#enter('persist', epoch)\n",
      },
    ],
    caughtBy: crash('R2', '--only', 'key=b0/part-'),
  },
  {
    name: 'sync off',
    patches: [
      {
        file: 'src/core/system-files.ts',
        old: '    sync: () => handle.sync(),\n',
        now: '    sync: async () => undefined,\n',
      },
    ],
    caughtBy: crash('R2', '--only', 'no kill'),
  },
  {
    name: 'fencing off',
    patches: [
      {
        file: 'src/checkpoint/snapshots.ts',
        old: '    return entries.find(({ id }) => id > this.#owner.after && id !== this.#creating)?.id\n',
        now: '    return entries.length < 0 ? 0n : undefined\n',
      },
      {
        file: 'src/checkpoint/file-store.ts',
        old: '      if (foreign !== undefined) throw fencedBy(foreign.id)\n',
        now: '',
      },
      {
        file: 'src/checkpoint/file-store.ts',
        old: '    if (found !== undefined) throw fencedBy(staged.id)\n',
        now: '    if (found !== undefined) return\n',
      },
      {
        file: 'src/checkpoint/file-store.ts',
        old: '.filter((entry) => entry.id > owner.after && entry.id !== id)',
        now: '.filter((entry) => entry.id < 0n)',
      },
      {
        file: 'src/connectors/file/parts/ledger.ts',
        old: 'if (foreign || (entry !== undefined && BigInt(entry.incarnation) > this.#incarnation)) {',
        now: 'if (foreign) {',
      },
    ],
    caughtBy: crash('orders', '--only', 'behind a mark'),
  },
  {
    name: 'checksum ignored',
    patches: [{ file: 'src/checkpoint/decode.ts', old: '  if (stored !== computed) {', now: '  if (stored < 0) {' }],
    caughtBy: crash('orders', '--only', 'checkpoint that no sink holds'),
  },
  {
    name: 'late rows counted twice',
    patches: [
      {
        file: 'src/operators/aggregate/group-aggregate.ts',
        old: '    this.#context.counters.lateRows += intake.late\n',
        now: '    this.#context.counters.lateRows += 2 * intake.late\n',
      },
    ],
    caughtBy: ['env', 'GOLDEN=window/late-data.slt', 'vitest', 'run', 'tests/slt/golden.test.ts'],
  },
  {
    name: 'a reader that leaves lets no push in',
    patches: [
      {
        file: 'src/core/ring.ts',
        old: '    cursor.detach()\n    if (this.waiting !== 0) this.admit()\n',
        now: '    cursor.detach()\n',
      },
    ],
    caughtBy: properties('channels/stream'),
  },
  {
    name: 'an item is cleared under a second reader',
    patches: [
      {
        file: 'src/core/ring.ts',
        old: '    this.#cursors.push(cursor)\n    this.#joined()\n',
        now: '    this.single = this.#cursors.length <= 1\n    this.#cursors.push(cursor)\n',
      },
    ],
    caughtBy: properties('channels/broadcast'),
  },
  {
    name: 'a flush covers what was sent while it ran',
    patches: [
      {
        file: 'src/processor/offsets.ts',
        old: '        at.due.add(offset, messages)\n        at.unflushed.messages -= messages\n',
        now: '        at.due.add(at.unflushed.offset!, messages)\n        at.unflushed.messages -= messages\n',
      },
    ],
    caughtBy: properties('processor/offsets'),
  },
  {
    name: 'a dead letter that was not written is done',
    patches: [
      {
        file: 'src/processor/stream-processor.ts',
        old: "      this.#log('error', 'a dead letter could not be written', { id: message.id, error: textOf(error) })\n      return false\n",
        now: "      this.#log('error', 'a dead letter could not be written', { id: message.id, error: textOf(error) })\n      return true\n",
      },
    ],
    caughtBy: properties('processor/offsets'),
  },
]
