import { type Command, InvalidArgumentError, Option } from 'commander'
import type { CommandContext } from '../command.ts'
import type { FieldOptions, PublishOptions, ServerOptions, TailOptions } from '../streams/options.ts'
import { countOf } from './cat.ts'

/** `streams`: a data-streams service from the command line. What each does is loaded when it is called. */
export function defineStreams(program: Command, { io, done, json }: CommandContext): void {
  const streams = program.command('streams').description('streams and frames of a running service')
  const load = () => import('../streams/streams.ts')
  const define = (name: string, description: string): Command =>
    onServer(streams.command(name).description(description))
  define('list', 'list streams, newest first')
    .addOption(statusOption())
    .option('--symbol <symbol>', 'of that symbol')
    .option('--name <prefix>', 'whose names begin so')
    .option('--limit <n>', 'streams printed at most', countOf, 20)
    .action(async (options: FieldOptions & { readonly limit: number }) =>
      done(await (await load()).list(options, io, json)),
    )
  fields(define('create', 'create a stream')).action(async (options: FieldOptions) =>
    done(await (await load()).create(options, io, json)),
  )
  define('get', 'print a stream')
    .argument('<stream>', 'its id')
    .action(async (id: string, options: ServerOptions) => done(await (await load()).get(id, options, io, json)))
  fields(define('update', 'change fields of a stream').argument('<stream>', 'its id')).action(
    async (id: string, options: FieldOptions) => done(await (await load()).update(id, options, io, json)),
  )
  define('delete', 'delete a stream with its frames')
    .argument('<stream>', 'its id')
    .action(async (id: string, options: ServerOptions) => done(await (await load()).remove(id, options, io)))
  define('frames', 'list frames, highest sequence first')
    .argument('<stream>', 'its id')
    .option('--limit <n>', 'frames printed at most', countOf, 20)
    .action(async (id: string, options: ServerOptions & { readonly limit: number }) =>
      done(await (await load()).frames(id, options, io, json)),
    )
  define('publish', 'store a frame, or with - every line of standard input')
    .argument('<stream>', 'its id')
    .argument('[source]', '-: frames as JSON lines from standard input')
    .option('--sequence <n>', 'its number (default: given by the service)')
    .option('--payload <json>', 'its payload', '{}')
    .option('--latency-ms <ms>', 'its latency', countOf)
    .addOption(new Option('--status <status>', 'its status').choices(['ok', 'late', 'error']))
    .option('--metadata <k=v...>', 'texts by name', entry)
    .action(async (id: string, source: string | undefined, options: PublishOptions) =>
      done(await (await load()).publish(id, { ...options, source }, io, json)),
    )
  define('tail', 'print frames as they are committed')
    .argument('<stream>', 'its id')
    .option('--from <where>', 'latest, earliest, or a sequence', 'latest')
    .option('--limit <n>', 'ends after so many', countOf)
    .action(async (id: string, options: TailOptions) => done(await (await load()).tail(id, options, io)))
  define('sla', 'print how punctual a stream was')
    .argument('<stream>', 'its id')
    .option('--window <duration>', 'up to 24h', '5m')
    .action(async (id: string, options: ServerOptions & { readonly window: string }) =>
      done(await (await load()).sla(id, options, io)),
    )
  define('outbox', 'list frames that the bus refused for good').action(async (options: ServerOptions) =>
    done(await (await load()).outbox(options, io)),
  )
  define('accounts', 'list accounts, or create one')
    .argument('[name]', 'create one of that name')
    .option('--id <id>', 'its id (default: given by the service)')
    .action(async (name: string | undefined, options: ServerOptions & { readonly id?: string }) =>
      done(await (await load()).accounts(name, options, io)),
    )
  define('keys', 'list API keys, create, delete or generate one')
    .argument('[what]', 'create, delete, generate')
    .argument('[name]', 'name of a new key; id of one to delete')
    .option('--scope <scope...>', 'what a new key may')
    .option('--for <account...>', 'accounts of a new key (default: all of the tenant)')
    .option('--expires <time>', 'when a new key expires: RFC 3339')
    .action(async (what: string | undefined, name: string | undefined, options: ServerOptions) =>
      done(await (await load()).keys(what, name, options, io)),
    )
}

const onServer = (command: Command): Command =>
  command
    .option('--server <url>', 'the service (default: HEADRACE_SERVER, or http://127.0.0.1:8080)')
    .option('--key <key>', 'API key (default: HEADRACE_API_KEY)')
    .option('--account <account>', 'the account (default: HEADRACE_ACCOUNT, or the only one of the key)')

const statusOption = (): Option =>
  new Option('--status <status>', 'status of streams').choices(['inactive', 'active', 'paused'])

const fields = (command: Command): Command =>
  command
    .option('--name <name>', 'its name')
    .option('--symbol <symbol>', 'its symbol')
    .option('--description <text>', 'what it is')
    .option('--frequency <text>', 'how often frames come: 1s, 5m, 10hz')
    .option('--sla-ms <ms>', 'milliseconds until a frame is late', countOf)
    .addOption(statusOption())
    .option('--metadata <k=v...>', 'texts by name', entry)

/** One `k=v` beside those before it. */
function entry(text: string, before: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('write name=value')
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) }
}
