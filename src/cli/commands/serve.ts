import type { Command } from 'commander'
import type { CommandContext } from '../command.ts'
import { withDataDir } from '../data-dir.ts'
import type { ServeOptions } from '../serve.ts'

/** `serve`: the HTTP service in the foreground. What it does is loaded when it is called. */
export function defineServe(program: Command, { io, done, json }: CommandContext): void {
  const command = program
    .command('serve')
    .description('run the data-streams service: HTTP, live reading, metrics')
    .option('--host <address>', 'address to listen on (default: 127.0.0.1)')
    .option('--port <port>', 'port to listen on (default: 8080); 0: any that is free')
    .option('--dev', 'no credentials, this machine only, tenant and account `default`')
    .option('--store <uri>', 'where frames are kept: file:<folder>, memory: (default: in the data directory)')
    .option('-c, --config <file>', 'configuration file (YAML)')
    .option('--profile <name>', 'profile of the configuration file')
    .option('--set <name=value...>', 'any setting: streams.heartbeat_s=5')
    .option('--print-settings', 'print every setting with its origin, and end')
  withDataDir(command).action(async (options: ServeOptions) => {
    const { serve } = await import('../serve.ts')
    done(await serve(options, io, json))
  })
}
