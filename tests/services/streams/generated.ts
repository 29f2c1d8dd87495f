import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ServiceProcess, used } from './service-process.ts'

// Requests made from the OpenAPI document by schemathesis (PyPI), in a virtual environment of its own:
// node tests/services/streams/generated.ts [requests an operation] [seconds] [seed]
// The prefixes share their handlers: one of them is asked, and what lies at the root.
const [examples = '20', seconds = '600', seed = '1'] = process.argv.slice(2)
const VERSION = '4.32.5'
const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_schema_conformance',
]

const venv = process.env['SCHEMATHESIS_VENV'] ?? join(tmpdir(), `headrace-schemathesis-${VERSION}`)
const program = join(venv, 'bin/schemathesis')
if (!existsSync(program)) {
  for (const [command, ...args] of [
    ['python3', '-m', 'venv', venv],
    [join(venv, 'bin/pip'), 'install', '--quiet', `schemathesis==${VERSION}`],
  ]) {
    const { status } = spawnSync(command!, args, { stdio: 'inherit' })
    if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed`)
  }
}
await using service = await ServiceProcess.start(['log.level=error', 'streams.long_poll_max_s=1'])
await used(service.url)
const args = [
  'run',
  `${service.url}/openapi.json`,
  '--checks',
  CHECKS.join(','),
  '--max-examples',
  examples,
  '--seed',
  seed,
]
const more = ['--phases', 'examples,coverage,fuzzing', '--request-timeout', '5', '--max-time', seconds, '--no-color']
const paths = ['--exclude-path-regex', '^/(streams|accounts|docs)']
// What it keeps of a run lies in its working directory.
const child = spawn(program, [...args, ...more, ...paths], { stdio: ['ignore', 'pipe', 'inherit'], cwd: venv })
const ended = once(child, 'close')
let output = ''
for await (const chunk of child.stdout) output += String(chunk)
const [exitCode] = await ended
const alive = service.isRunning
process.stdout.write(output.split('\n').slice(-120).join('\n'))
process.stdout.write(`generated: ${alive ? 'the service runs on' : 'the service has ended'}\n`)
process.exitCode = exitCode === 0 && alive ? 0 : 1
