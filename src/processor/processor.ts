import type { ProcessingDecision } from './decision.ts'
import type { Message } from './message.ts'

/** Judges messages. */
export interface Processor {
  process(message: Message): ProcessingDecision | Promise<ProcessingDecision>
  /** Called only after the sink has accepted the message: what is remembered here never covers a failed one. */
  confirm?(message: Message): void
}

/** Changes messages: one becomes any number. An empty array skips it, and so does a decision to skip. */
export interface Transformer {
  transform(message: Message): Message[] | ProcessingDecision | Promise<Message[] | ProcessingDecision>
  confirm?(message: Message): void
}

/** What a step gives: the messages that go on, or the decision to skip. */
export type StepResult = readonly Message[] | ProcessingDecision

export const isTransformer = (step: Processor | Transformer): step is Transformer => 'transform' in step

export const isPromise = <T>(value: T | PromiseLike<T>): value is PromiseLike<T> =>
  typeof (value as PromiseLike<T> | undefined)?.then === 'function'
