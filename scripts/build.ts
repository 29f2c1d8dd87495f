import { copyFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'rolldown'
import { buildLibrary } from './build-library.ts'

/** Packages that are loaded from where they are installed. */
const installed = [
  'commander',
  'picomatch',
  'ws',
  'fastify',
  'pino',
  'prom-client',
  'yaml',
  /^typebox/,
  /^@fastify\//,
  'eventsource-parser',
]

// Emits dist/: few files without comments, because reading and resolving cost more than running a small query; what is
// imported lazily stays apart. CommonJS, because Node's loader of ES modules takes 30 ms longer for the same files. The
// compiled kernels lie beside the code that loads them. `--command` leaves the declarations of the library out.
const root = join(import.meta.dirname, '..')
const dist = join(root, 'dist')
rmSync(dist, { recursive: true, force: true })
await build({
  cwd: root,
  input: { main: 'src/cli/main.ts' },
  platform: 'node',
  // What the service stands on is loaded by its name, when it is asked for: it brings files of its own.
  external: [/^node:/, ...installed],
  output: {
    dir: dist,
    format: 'cjs',
    entryFileNames: '[name].cjs',
    chunkFileNames: '[name]-[hash].cjs',
    // Names stay: stack traces are read by people.
    minify: { compress: true, mangle: false, codegen: { removeWhitespace: true } },
  },
})
for (const name of readdirSync(dist)) {
  const file = join(dist, name)
  if (name.endsWith('.cjs')) writeFileSync(file, ascii(readFileSync(file, 'utf8')))
}
copyFileSync(join(root, 'src/kernels/kernels.wasm'), join(dist, 'kernels.wasm'))
await buildLibrary({ declarations: !process.argv.includes('--command') })

/** V8 keeps a file that is all ASCII in half the memory and reads it twice as fast. */
function ascii(text: string): string {
  return text.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
