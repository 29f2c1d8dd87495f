import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'

// Emits dist/: JavaScript and declarations of src/ without the tests, and the compiled kernels beside their bindings.
const root = join(import.meta.dirname, '..')
rmSync(join(root, 'dist'), { recursive: true, force: true })
const tsc = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json'], {
  cwd: root,
  stdio: 'inherit',
})
if (tsc.status !== 0) process.exit(tsc.status ?? 1)
const wasm = 'kernels/kernels.wasm'
mkdirSync(dirname(join(root, 'dist', wasm)), { recursive: true })
copyFileSync(join(root, 'src', wasm), join(root, 'dist', wasm))
