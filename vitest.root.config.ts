import { defineConfig } from 'vitest/config'

// What needs root, or a user without rights.
const config = defineConfig({
  test: {
    experimental: { viteModuleRunner: false },
    include: ['tests/root/**/*.test.ts'],
    globalSetup: ['tests/build-once.ts'],
    testTimeout: 60_000,
  },
})

export { config as default }
