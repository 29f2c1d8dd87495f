import { readdirSync } from 'node:fs'
import type { Command } from 'commander'
import type { Io } from './io.ts'

const DATA = /\.(csv|tsv|jsonl|ndjson|json)(\.(gz|zst))?$/i

/** One screen on a terminal; usage on standard error and exit code 2 elsewhere. */
export function welcome(program: Command, io: Io): number {
  if (!io.outIsTerminal) {
    io.err(program.helpInformation())
    return 2
  }
  const data = readdirSync('.').find((name) => DATA.test(name)) ?? 'examples/01-clicks/clicks.jsonl'
  io.out(`${io.paint('strong', 'headrace')}: streaming SQL from any source to any sink.

Try it here:
  headrace describe ${data}
  headrace sql "select count(*) from '${data}'"
  headrace cat ${data} --limit 5

headrace help            lists the commands
headrace help <command>  explains one
`)
  return 0
}
