import { type Clock, systemClock } from '../../core/clock.ts'
import { freshSeed, Random } from '../../core/random.ts'
import { RETRY_DEFAULTS, type RetryPolicy, retry } from '../../core/retry.ts'
import { sinkFault } from '../failures.ts'
import type { Message } from '../message.ts'
import { needMethods } from '../settings.ts'
import { nameOfSink, type Sink } from '../sink.ts'

const ATTEMPTS = 5

/** Sends again what failed for a reason that may pass; a message that the sink rejected is not sent again. */
export class RetrySink implements Sink {
  readonly #sink: Sink
  readonly #policy: RetryPolicy
  readonly #clock: Clock
  readonly #random: Random

  /** What the policy does not say is as everywhere; at most 5 tries. */
  constructor(
    sink: Sink,
    policy: Partial<RetryPolicy> = {},
    {
      clock = systemClock,
      random = new Random(freshSeed()),
    }: { readonly clock?: Clock | undefined; readonly random?: Random | undefined } = {},
  ) {
    needMethods('the sink', sink, 'send')
    this.#sink = sink
    this.#policy = { ...RETRY_DEFAULTS, attempts: ATTEMPTS, ...policy }
    this.#clock = clock
    this.#random = random
  }

  get buffered(): boolean {
    return this.#sink.buffered === true
  }

  send(message: Message): Promise<void> {
    return this.#again(() => this.#sink.send(message))
  }

  flush(): Promise<void> {
    return this.#again(async () => await this.#sink.flush?.())
  }

  name(): string {
    return `RetrySink(${nameOfSink(this.#sink)})`
  }

  #again(task: () => Promise<void>): Promise<void> {
    const policy = this.#policy
    return retry(
      async () => {
        try {
          await task()
        } catch (error) {
          throw sinkFault(error, this.#sink)
        }
      },
      { policy, clock: this.#clock, random: this.#random },
    )
  }
}
