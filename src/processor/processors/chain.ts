import { described, hasMethods } from '../../core/option-names.ts'
import { ProcessingDecision, SkipReason } from '../decision.ts'
import { ProcessingError, StreamError } from '../errors.ts'
import type { Message } from '../message.ts'
import { isPromise, isTransformer, type Processor, type StepResult, type Transformer } from '../processor.ts'

type Step = Processor | Transformer

interface Confirmation {
  readonly step: Step
  readonly message: Message
}

/**
 * Processors and transformers in order. The first skip of a message ends its way; of several messages that a transformer
 * made of one, each goes its own way, and only when none is left the whole is skipped, for the first reason.
 */
export class ProcessorChain implements Processor, Transformer {
  readonly #steps: readonly Step[]
  /** By the message that came in: what to confirm when the sink has taken all that came out of it. */
  readonly #confirmations = new WeakMap<Message, Confirmation[]>()

  constructor(...steps: readonly Step[]) {
    for (const [i, step] of steps.entries()) {
      if (hasMethods(step, 'process') || hasMethods(step, 'transform')) continue
      throw new StreamError('InvalidConfiguration', {
        details: `step ${i} of the chain is ${described(step)}; it needs the method process or transform`,
      })
    }
    this.#steps = steps
  }

  /** The decision alone; `transform` gives the messages, too. */
  async process(message: Message): Promise<ProcessingDecision> {
    const result = await this.transform(message)
    return result instanceof ProcessingDecision ? result : ProcessingDecision.process
  }

  async transform(message: Message): Promise<Message[] | ProcessingDecision> {
    const confirmations: Confirmation[] = []
    let messages: Message[] = [message]
    let skipped: ProcessingDecision | undefined
    for (const step of this.#steps) {
      const next: Message[] = []
      for (const each of messages) {
        const given = runStep(step, each)
        const result = isPromise(given) ? await given : given
        if (result instanceof ProcessingDecision && !result.isProcess()) {
          skipped ??= result
          continue
        }
        if (step.confirm !== undefined) confirmations.push({ step, message: each })
        if (result instanceof ProcessingDecision) next.push(each)
        else if (result.length === 0) skipped ??= ProcessingDecision.skip(SkipReason.filtered('nothing was left of it'))
        else next.push(...result)
      }
      messages = next
      if (messages.length === 0) return skipped!
    }
    if (confirmations.length > 0) this.#confirmations.set(message, confirmations)
    return messages
  }

  confirm(message: Message): void {
    for (const { step, message: seen } of this.#confirmations.get(message) ?? []) step.confirm?.(seen)
    this.#confirmations.delete(message)
  }
}

function runStep(step: Step, message: Message): StepResult | Promise<StepResult> {
  const given = isTransformer(step) ? step.transform(message) : step.process(message)
  return isPromise(given) ? given.then(checked) : checked(given)
}

function checked(result: StepResult): StepResult {
  if (result instanceof ProcessingDecision || Array.isArray(result)) return result
  throw new ProcessingError('UnexpectedState', { message: 'a step of the chain gave neither a decision nor messages' })
}
