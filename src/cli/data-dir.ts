import type { Command } from 'commander'

/** An option that every command on kept pipelines has. */
export interface DataDirOption {
  readonly dataDir?: string
}

export const withDataDir = (command: Command): Command =>
  command.option('--data-dir <dir>', 'where state is kept (default: .headrace, or HEADRACE_DATA_DIR)')
