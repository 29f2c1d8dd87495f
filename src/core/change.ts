/** What a row says about the result (sql.md §7). Stored as one byte per row; a batch without changes is all inserts. */
export const CHANGE = { insert: 0, updateBefore: 1, updateAfter: 2, delete: 3 } as const

export type ChangeCode = (typeof CHANGE)[keyof typeof CHANGE]

/** `+I`, `-U`, `+U`, `-D`, by code. */
export const changeSymbols: readonly string[] = ['+I', '-U', '+U', '-D']

/** True for a row that adds (`+I`, `+U`). */
export const adds = (change: number): boolean => change === CHANGE.insert || change === CHANGE.updateAfter
