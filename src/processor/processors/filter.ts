import { ProcessingDecision, SkipReason } from '../decision.ts'
import type { Message } from '../message.ts'
import { isPromise, type Processor } from '../processor.ts'
import { needFunction, refuseUnknown } from '../settings.ts'

type Test = (message: Message) => boolean | Promise<boolean>

/** Messages of which `fn` is true go on, the others are `Filtered` for `reason`. */
export class FilterProcessor implements Processor {
  readonly #fn: Test
  readonly #filtered: ProcessingDecision

  constructor(fn: Test, options: { readonly reason?: string | undefined } = {}) {
    needFunction('the test of a filter', fn)
    refuseUnknown('a filter', options, { reason: true })
    const { reason = 'filtered' } = options
    this.#fn = fn
    this.#filtered = ProcessingDecision.skip(SkipReason.filtered(reason))
  }

  process(message: Message): ProcessingDecision | Promise<ProcessingDecision> {
    const goesOn = this.#fn(message)
    return isPromise(goesOn) ? goesOn.then((yes) => this.#decision(yes)) : this.#decision(goesOn)
  }

  #decision(goesOn: boolean): ProcessingDecision {
    return goesOn ? ProcessingDecision.process : this.#filtered
  }
}
