// Builds src/kernels/kernels.wasm from src/kernels/asm. `--check`: rebuilds and compares with the file in git.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const target = join(root, 'src/kernels/kernels.wasm')

/** Compiles the kernels to `file`. */
function build(file: string): void {
  const flags = [
    '-O3',
    '--noAssert',
    '--runtime',
    'stub',
    '--importMemory',
    '--sharedMemory',
    '--maximumMemory',
    '65535',
  ]
  const features = ['simd', 'threads', 'bulk-memory', 'sign-extension', 'nontrapping-f2i'].flatMap((f) => [
    '--enable',
    f,
  ])
  const entry = join(root, 'src/kernels/asm/main.ts')
  const asc = join(root, 'node_modules/assemblyscript/bin/asc.js')
  execFileSync(process.execPath, [asc, entry, '-o', file, ...flags, ...features, '--memoryBase', '32768'], {
    cwd: root,
    stdio: 'inherit',
  })
}

if (process.argv.includes('--check')) {
  const folder = mkdtempSync(join(tmpdir(), 'kernels-'))
  const built = join(folder, 'kernels.wasm')
  build(built)
  const same = readFileSync(built).equals(readFileSync(target))
  rmSync(folder, { recursive: true })
  console.log(same ? 'kernels.wasm is up to date' : 'kernels.wasm differs from its source: run npm run build:kernels')
  process.exitCode = same ? 0 : 1
} else {
  build(target)
  console.log(`kernels.wasm: ${readFileSync(target).length} bytes`)
}
