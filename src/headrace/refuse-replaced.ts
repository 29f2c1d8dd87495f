import { HeadraceError } from '../core/errors.ts'

const hint = "write new files (a path that ends with a slash), or add: write_mode = 'append'"
const message = (pipeline: string, target: string): string =>
  `"${pipeline}" is complete: nothing can be added to "${target}", which is replaced as a whole`

/** Dead letters cannot be replayed into a target that is replaced as a whole once it is complete. */
export const refuseReplay = (pipeline: string, target: string): HeadraceError =>
  new HeadraceError('dlq_replay_refused', message(pipeline, target), { hint })

/** Nor can what was added to the input. */
export const refuseAdding = (pipeline: string, target: string): HeadraceError =>
  new HeadraceError('cli_usage', `--continue: ${message(pipeline, target)}`, {
    hint: `${hint}; without --continue it is replaced by everything`,
  })
