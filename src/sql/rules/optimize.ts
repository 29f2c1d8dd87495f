import type { Output } from '../plan.ts'
import { foldConstants } from './fold-constants.ts'
import { mergeProjects } from './merge-projects.ts'
import { pruneColumns } from './prune-columns.ts'
import { pushFilters } from './push-filters.ts'

type Rule = (outputs: readonly Output[]) => Output[]

const rules: readonly Rule[] = [
  mergeProjects,
  foldConstants,
  pushFilters,
  mergeProjects,
  pruneColumns,
  mergeProjects,
  foldConstants,
]

/** All rules, in order. */
export const optimize = (outputs: readonly Output[]): readonly Output[] =>
  rules.reduce<readonly Output[]>((plan, rule) => rule(plan), outputs)
