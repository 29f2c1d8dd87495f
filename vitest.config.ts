import { defineConfig } from 'vitest/config'
import { alias, slow } from './vitest.crash.config.ts'

const config = defineConfig({
  resolve: { alias },
  test: {
    include: ['src/**/*.test.ts', 'tests/**/*.test.ts', 'bench/**/*.test.ts'],
    exclude: [...slow, 'tests/services/**', 'tests/root/**', 'tests/package/**'],
    pool: 'threads',
    isolate: false,
    reporters: ['default'],
    globalSetup: ['tests/build-once.ts'],
    testTimeout: 20_000,
    maxConcurrency: 3,
    // One for each core: the default leaves one idle.
    maxWorkers: '100%',
    // Node imports the sources itself: a quarter less time.
    experimental: { viteModuleRunner: false },
  },
})

// Vitest reads a default export; this is the one file that has one.
export { config as default }
