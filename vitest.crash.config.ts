import { defineConfig } from 'vitest/config'

// What kills processes on purpose and takes its time.
const config = defineConfig({
  test: { include: ['tests/crash/**/*.test.ts'], globalSetup: ['tests/build-once.ts'], testTimeout: 60_000 },
})

export { config as default }
