import { defineConfig } from 'vitest/config'

/** The package by its name, as examples import it: its sources. */
export const alias = {
  'headrace/chain': new URL('src/chain/chain.ts', import.meta.url).pathname,
}

/** What kills processes and breaks system calls on purpose, or starts pipelines again and again, and takes its time. */
export const slow = [
  'tests/crash/**/*.test.ts',
  'src/**/*.faults.test.ts',
  'tests/chain/*.faults.test.ts',
  ...['code-cache', 'commands', 'dlq', 'first-hour', 'ingest', 'odd-files', 'recovery', 'stop'].map(
    (name) => `tests/end-to-end/${name}.test.ts`,
  ),
]

const config = defineConfig({
  resolve: { alias },
  test: {
    include: slow,
    pool: 'threads',
    experimental: { viteModuleRunner: false },
    isolate: false,
    globalSetup: ['tests/build-once.ts'],
    testTimeout: 60_000,
    maxWorkers: '100%',
  },
})

export { config as default }
