import { HeadraceError } from '../../core/errors.ts'

/** What a target that is replaced as a whole cannot take once it is complete. */
export const refuseReplaced = (pipeline: string, target: string): HeadraceError =>
  new HeadraceError('dlq_replay_refused', `"${pipeline}" is complete: nothing can be added to "${target}"`, {
    hint: "write new files (a path that ends with a slash), or add: write_mode = 'append'",
  })
