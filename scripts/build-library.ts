import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { build } from 'rolldown'
import { declarationOf, emitDeclarations, libraryEntries } from './declarations.ts'

const root = join(import.meta.dirname, '..')
const out = join(root, 'dist/lib')

/**
 * Emits the library into `dist/lib/`: ES modules, which `require` of Node 24 loads, too, and, where asked for, the
 * declarations of what the entries name. Connectors and the SQL engine are chunks of their own: they are loaded when they are used.
 */
export async function buildLibrary({ declarations }: { readonly declarations: boolean }): Promise<void> {
  rmSync(out, { recursive: true, force: true })
  await build({
    cwd: root,
    input: libraryEntries as Record<string, string>,
    platform: 'node',
    external: [/^node:/, 'commander', 'picomatch', 'eventsource-parser'],
    output: { dir: out, format: 'esm', entryFileNames: '[name].js', chunkFileNames: '[name]-[hash].js' },
  })
  copyFileSync(join(root, 'src/kernels/kernels.wasm'), join(out, 'kernels.wasm'))
  if (declarations) shipDeclarations(join(out, 'types'))
}

function shipDeclarations(out: string): void {
  const all = join(root, 'dist/declarations')
  rmSync(all, { recursive: true, force: true })
  emitDeclarations(all)
  for (const path of reachable(all)) {
    const target = join(out, relative(all, path))
    mkdirSync(dirname(target), { recursive: true })
    // Sources import each other by their own names; what is shipped names what is shipped.
    writeFileSync(target, readFileSync(path, 'utf8').replace(/(from |import\()'(\.[^']+)\.ts'/g, "$1'$2.js'"))
  }
  rmSync(all, { recursive: true })
}

/** The declarations that the entries name, and what those name: nobody needs the rest. */
function reachable(all: string): ReadonlySet<string> {
  const found = new Set<string>()
  const visit = (path: string): void => {
    if (found.has(path) || !existsSync(path)) return
    found.add(path)
    for (const [, target] of readFileSync(path, 'utf8').matchAll(/(?:from|import\()\s*['"](\.[^'"]+)\.[jt]s['"]/g)) {
      visit(resolve(dirname(path), `${target}.d.ts`))
    }
  }
  for (const entry of Object.values(libraryEntries)) visit(join(all, declarationOf(entry)))
  return found
}
