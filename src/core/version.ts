import { existsSync, readFileSync } from 'node:fs'

let known: string | undefined

/** From the package that this file lies in: the sources and the built file are not equally deep. */
export function packageVersion(): string {
  known ??= read()
  return known
}

function read(): string {
  for (const path of ['../package.json', '../../package.json']) {
    const file = new URL(path, import.meta.url)
    if (existsSync(file)) return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
  }
  return 'unknown'
}
