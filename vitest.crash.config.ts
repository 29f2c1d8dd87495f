import { defineConfig } from 'vitest/config'

/** What kills processes and breaks system calls on purpose, or starts pipelines again and again, and takes its time. */
export const slow = [
  'tests/crash/**/*.test.ts',
  'src/**/*.faults.test.ts',
  'tests/chain/*.faults.test.ts',
  ...['commands', 'dlq', 'ingest', 'odd-files', 'recovery', 'stop'].map((name) => `tests/end-to-end/${name}.test.ts`),
]

const config = defineConfig({
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
