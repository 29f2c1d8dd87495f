import { closeSync, openSync, writeFileSync } from 'node:fs'
import type { Command } from 'commander'
import { fileError } from '../../connectors/file/client.ts'
import { eventJson } from '../../connectors/nexmark/parts/event-json.ts'
import { NexmarkModel } from '../../connectors/nexmark/parts/model.ts'
import type { CommandContext } from '../command.ts'
import { countOf } from './cat.ts'

interface Options {
  readonly events: number
  readonly rate: number
  readonly seed: number
  readonly outOfOrder: number
  readonly out: string
}

const CHUNK = 256 * 1024
/** 2015-07-15T00:00:00Z in microseconds. */
const START = 1_436_918_400_000_000

/** Writes generated events as JSON lines: the input of benchmarks and of other engines. */
export function defineNexmark(program: Command, { io }: CommandContext): void {
  program
    .command('nexmark')
    .description('write generated auction events as JSON lines')
    .requiredOption('--events <n>', 'number of events', countOf)
    .option('--rate <n>', 'events per second of event time', countOf, 10_000)
    .option('--seed <n>', 'seed', countOf, 0)
    .option('--out-of-order <n>', 'group size of the emission order', countOf, 1)
    .option('--out <path>', 'file to write; - is standard output', '-')
    .action(async (options: Options) => {
      const model = new NexmarkModel({
        seed: options.seed,
        startMicros: START,
        rate: options.rate,
        active: 1000,
        inFlight: 100,
        bidderBase: 1000,
        outOfOrder: options.outOfOrder,
      })
      const path = options.out.replace(/^file:(\/\/)?/, '')
      const write = path === '-' ? standardOutput : fileWriter(path)
      let chunk = ''
      for (let index = 0; index < options.events && !io.signal.aborted; index++) {
        chunk += eventJson(model, model.eventAt(index))
        if (chunk.length >= CHUNK) {
          await write.bytes(chunk)
          chunk = ''
        }
      }
      await write.bytes(chunk)
      write.end()
    })
}

const standardOutput = {
  bytes: (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      process.stdout.write(text, (error) => {
        if (error === null || error === undefined) resolve()
        else reject(error)
      })
    }),
  end: (): void => undefined,
}

function fileWriter(path: string): typeof standardOutput {
  let descriptor: number
  try {
    descriptor = openSync(path, 'w')
  } catch (error) {
    throw fileError('open', `cannot write "${path}"`, error)
  }
  return {
    bytes: async (text) => {
      try {
        // Writes all of it, however often the system takes only a part.
        writeFileSync(descriptor, text)
      } catch (error) {
        throw fileError('open', `cannot write "${path}"`, error)
      }
    },
    end: () => closeSync(descriptor),
  }
}
