import { defineConfig } from 'vitest/config'

// The package as it is shipped: packed, installed into an empty folder, compiled and run.
const config = defineConfig({
  test: {
    experimental: { viteModuleRunner: false },
    include: ['tests/package/**/*.test.ts'],
    globalSetup: ['tests/package/pack-once.ts'],
    testTimeout: 60_000,
  },
})

export { config as default }
