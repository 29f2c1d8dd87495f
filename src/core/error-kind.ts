/** Who can act on an error; the reaction of the supervisor follows the class only. */
export type ErrorClass = 'transient' | 'throttled' | 'permanent' | 'poison' | 'ambiguous' | 'fenced' | 'internal'

export interface ErrorKind {
  readonly class: ErrorClass
  readonly httpStatus: number
  readonly exitCode: number
  /** One sentence: when it is raised. */
  readonly when: string
  /** What to do about it, for `explain-code` and the reference. */
  readonly fix: string
}

export const invalid = { class: 'permanent', httpStatus: 400, exitCode: 2 } as const
export const transient = { class: 'transient', httpStatus: 503, exitCode: 3 } as const
export const row = { class: 'poison', httpStatus: 422, exitCode: 1 } as const
