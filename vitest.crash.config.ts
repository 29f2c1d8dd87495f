import { defineConfig } from 'vitest/config'

// What kills processes on purpose and takes its time.
const config = defineConfig({ test: { include: ['tests/crash/**/*.test.ts'], testTimeout: 60_000 } })

export { config as default }
