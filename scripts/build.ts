import { copyFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'rolldown'

// Emits dist/: few files, because reading hundreds costs more than running a small query; what is imported lazily stays
// apart. The compiled kernels lie beside the code that loads them.
const root = join(import.meta.dirname, '..')
const dist = join(root, 'dist')
rmSync(dist, { recursive: true, force: true })
await build({
  cwd: root,
  input: { main: 'src/cli/main.ts', headrace: 'src/headrace/headrace.ts' },
  platform: 'node',
  external: [/^node:/, 'commander', 'picomatch'],
  output: { dir: dist, format: 'esm', entryFileNames: '[name].js', chunkFileNames: '[name]-[hash].js' },
})
copyFileSync(join(root, 'src/kernels/kernels.wasm'), join(dist, 'kernels.wasm'))
