import type { CommitMode } from './consumer.ts'

/** What may be committed now: with `cumulative` one per partition, with `individual` one per message. */
export interface DueCommit {
  readonly offset: string
  readonly partition: string | undefined
  /** Messages that it covers. */
  readonly messages: number
}

/** A run of done messages and the offset that covers them. */
class Prefix {
  offset: string | undefined
  messages = 0

  add(offset: string, messages = 1): void {
    this.offset = offset
    this.messages += messages
  }

  clear(): void {
    this.offset = undefined
    this.messages = 0
  }
}

/** One partition in cumulative mode: only the prefix before the first failed message can be committed. */
class PartitionOffsets {
  readonly partition: string | undefined
  readonly due = new Prefix()
  /** Sent to a buffered sink, and what came behind them: due after the next flush. */
  readonly unflushed = new Prefix()
  held = false
  /** Done messages behind the held one. */
  behind = 0

  constructor(partition: string | undefined) {
    this.partition = partition
  }
}

/**
 * Which offsets may be committed. Messages come in the order of their partition; one that failed stays not done for as
 * long as this ledger lives, so that nothing behind it is ever due in cumulative mode.
 */
export class OffsetLedger {
  readonly #mode: CommitMode
  /** Offsets are due only after a flush. */
  readonly #buffered: boolean
  readonly #single = new PartitionOffsets(undefined)
  readonly #partitions = new Map<string, PartitionOffsets>()
  #due: DueCommit[] = []
  #unflushed: DueCommit[] = []
  /** Messages that are done and not committed, held ones not counted. */
  waiting = 0

  constructor(mode: CommitMode, buffered: boolean) {
    this.#mode = mode
    this.#buffered = buffered
  }

  /** The message is done (with a buffered sink: after the next flush). False: it waits behind a held one. */
  done(offset: string, partition: string | undefined): boolean {
    if (this.#mode === 'individual') {
      const list = this.#buffered ? this.#unflushed : this.#due
      list.push({ offset, partition, messages: 1 })
      this.waiting++
      return true
    }
    const at = this.#of(partition)
    if (at.held) {
      at.behind++
      return false
    }
    if (this.#buffered) at.unflushed.add(offset)
    else at.due.add(offset)
    this.waiting++
    return true
  }

  /** The message failed: it is not done, and holds back what follows. */
  failed(partition: string | undefined): void {
    if (this.#mode === 'cumulative') this.#of(partition).held = true
  }

  /** Messages behind the held one of a partition. */
  behind(partition: string | undefined): number {
    return this.#of(partition).behind
  }

  /** Messages whose commits wait one by one: with `individual` nothing else holds their number down. */
  get listed(): number {
    return this.#mode === 'individual' ? this.waiting : 0
  }

  /** The marks of what a flush that begins now will cover: more may be sent while it runs. */
  flushing(): () => void {
    const covered = [...this.#all()].map((at) => ({ at, offset: at.unflushed.offset, messages: at.unflushed.messages }))
    const count = this.#unflushed.length
    return () => {
      this.#due.push(...this.#unflushed.splice(0, count))
      for (const { at, offset, messages } of covered) {
        if (offset === undefined) continue
        at.due.add(offset, messages)
        at.unflushed.messages -= messages
        if (at.unflushed.messages === 0) at.unflushed.clear()
      }
    }
  }

  due(): DueCommit[] {
    if (this.#mode === 'individual') return [...this.#due]
    const due: DueCommit[] = []
    for (const { due: prefix, partition } of this.#all()) {
      if (prefix.offset !== undefined) due.push({ offset: prefix.offset, partition, messages: prefix.messages })
    }
    return due
  }

  /** The commit succeeded. */
  committed(commit: DueCommit): void {
    this.waiting -= commit.messages
    if (this.#mode === 'individual') {
      const at = this.#due.indexOf(commit)
      if (at === 0) this.#due.shift()
      else if (at > 0) this.#due.splice(at, 1)
      return
    }
    const { due } = this.#of(commit.partition)
    due.messages -= commit.messages
    if (due.messages === 0) due.clear()
  }

  /** The commit of the one message that is due succeeded. */
  committedOnly(partition: string | undefined): void {
    this.#of(partition).due.clear()
    this.waiting = 0
  }

  /** With cumulative commits: this message is due and nothing else is, so that it can be committed by itself. */
  isOnly(offset: string, partition: string | undefined): boolean {
    if (this.waiting !== 1 || this.#buffered || this.#mode !== 'cumulative') return false
    return this.#of(partition).due.offset === offset
  }

  *#all(): Iterable<PartitionOffsets> {
    yield this.#single
    yield* this.#partitions.values()
  }

  #of(partition: string | undefined): PartitionOffsets {
    if (partition === undefined) return this.#single
    let at = this.#partitions.get(partition)
    if (at === undefined) {
      at = new PartitionOffsets(partition)
      this.#partitions.set(partition, at)
    }
    return at
  }
}
