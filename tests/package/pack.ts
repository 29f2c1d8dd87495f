import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

const root = join(import.meta.dirname, '../..')

/** Unpacked as an installation does it, with the dependencies linked: there is no network. */
export interface Installed {
  readonly folder: string
  /** Runs a program in the folder; gives what it printed, throws with it when it failed. */
  run(program: string, ...args: readonly string[]): string
  remove(): void
}

/** Installs the tarball of `pack-once.ts` into an empty folder. */
export function installPackage(): Installed {
  const folder = mkdtempSync(join(tmpdir(), 'headrace-package-'))
  const modules = join(folder, 'node_modules')
  const own = join(modules, 'headrace')
  mkdirSync(own, { recursive: true })
  execFileSync('tar', ['xzf', process.env['HEADRACE_TARBALL']!, '-C', own, '--strip-components=1'])
  const { dependencies } = JSON.parse(readFileSync(join(own, 'package.json'), 'utf8')) as {
    readonly dependencies: Readonly<Record<string, string>>
  }
  for (const name of [...Object.keys(dependencies), '@types/node', 'undici-types']) {
    mkdirSync(dirname(join(modules, name)), { recursive: true })
    symlinkSync(packageFolder(name), join(modules, name))
  }
  return {
    folder,
    run: (program, ...args) => {
      try {
        return execFileSync(program, args, { cwd: folder, encoding: 'utf8', stdio: 'pipe' })
      } catch (error) {
        const { stdout, stderr } = error as { readonly stdout: string; readonly stderr: string }
        throw new Error(`${program} ${args.join(' ')}\n${stdout}${stderr}`)
      }
    },
    remove: () => rmSync(folder, { recursive: true }),
  }
}

const packageFolder = (name: string): string => join(root, 'node_modules', name)

/** The compiler of this project. */
export const compiler: string = join(
  dirname(import.meta.resolve('typescript/package.json').slice('file://'.length)),
  'bin/tsc',
)
