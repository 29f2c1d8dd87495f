import { ProcessingDecision } from '../decision.ts'
import type { Processor } from '../processor.ts'

/** Every message goes on. */
export class PassthroughProcessor implements Processor {
  process(): ProcessingDecision {
    return ProcessingDecision.process
  }
}
