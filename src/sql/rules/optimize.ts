import type { Output } from '../plan.ts'

/** All rules, in order. */
export const optimize = (outputs: readonly Output[]): readonly Output[] => outputs
