import type { FrameOutcome } from '../../datastreams/service.ts'
import { problemOf } from '../http/problem.ts'

/** How many frames became what. */
export class Tally {
  created = 0
  duplicate = 0
  failed = 0
  /** Of the next result. */
  index = 0

  /** The object of one frame; results are asked for in the order of the input. */
  result(outcome: FrameOutcome): string {
    const index = this.index++
    if (outcome.status === 'error') {
      this.failed++
      const { code, detail } = problemOf(outcome.error)
      return `{"index":${index},"status":"error","code":"${code}","error":${JSON.stringify(detail)}}`
    }
    if (outcome.status === 'repeated') {
      this.duplicate++
      return `{"index":${index},"status":"duplicate"}`
    }
    this[outcome.status]++
    const { sequence, position } = outcome.frame
    return `{"index":${index},"status":"${outcome.status}","sequence":"${sequence}","position":"${position}"}`
  }

  summary(): string {
    const { created, duplicate, failed } = this
    return `{"summary":{"created":${created},"duplicate":${duplicate},"failed":${failed}}}`
  }
}
