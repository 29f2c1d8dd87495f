import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = join(import.meta.dirname, '../..')

/** Builds and packs the package once, for all tests of it: `HEADRACE_TARBALL` names the file. */
export function setup(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'headrace-packed-'))
  execFileSync(process.execPath, [join(root, 'scripts/build.ts')], { cwd: root, stdio: 'inherit' })
  const options = { cwd: root, encoding: 'utf8' } as const
  const packed = execFileSync('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], options)
  const { filename } = (JSON.parse(packed) as readonly { readonly filename: string }[])[0]!
  process.env['HEADRACE_TARBALL'] = join(folder, filename)
  return () => rmSync(folder, { recursive: true })
}
