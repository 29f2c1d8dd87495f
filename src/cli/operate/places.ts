import { dataDirectory } from '../../headrace/durable/state-folder.ts'

/** `--data-dir`, or where it is by default. */
export const dataDirOf = (given: string | undefined): string => dataDirectory(given, process.env, process.cwd())
