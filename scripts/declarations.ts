import { execFileSync } from 'node:child_process'
import { dirname, join } from 'node:path'

const root = join(import.meta.dirname, '..')

/** What `import` finds: the name under `exports` of package.json, and the file that holds its names. */
export const libraryEntries: Readonly<Record<string, string>> = {
  headrace: 'src/headrace/headrace.ts',
  chain: 'src/chain/chain.ts',
  client: 'src/client/client.ts',
  connector: 'src/headrace/connector.ts',
  datastreams: 'src/headrace/datastreams.ts',
  testkit: 'src/testkit/testkit.ts',
}

/** The declaration of a source file, relative to where declarations are emitted. */
export const declarationOf = (source: string): string => source.replace(/^src\//, '').replace(/\.ts$/, '.d.ts')

/** Writes the declarations of the entries, and of all that they import. */
export function emitDeclarations(out: string): void {
  const typescript = join(dirname(import.meta.resolve('typescript/package.json').slice('file://'.length)), 'bin/tsc')
  const project = join(root, 'tsconfig.library.json')
  execFileSync(process.execPath, [typescript, '-p', project, '--outDir', out], { stdio: 'inherit', cwd: root })
}
