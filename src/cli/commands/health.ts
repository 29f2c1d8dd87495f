import type { Command } from 'commander'
import type { CommandContext } from '../command.ts'

/** `health`: whether a service may be sent requests. */
export function defineHealth(program: Command, { io, done, json }: CommandContext): void {
  program
    .command('health')
    .description('ask a running service whether it is ready and healthy')
    .option('--server <url>', 'the service (default: HEADRACE_SERVER, or http://127.0.0.1:8080)')
    .action(async (options: { readonly server?: string }) => {
      const { health } = await import('../health.ts')
      done(await health(options, io, json))
    })
}
