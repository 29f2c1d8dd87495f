import { writeSync } from 'node:fs'
import type { Cost } from './pairs.ts'

// Loaded before a program with `node --import`: prints, as the last line, what the whole process has cost.
process.on('exit', () => {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage()
  const cost: Cost = {
    cpuSeconds: (userCPUTime + systemCPUTime) / 1e6,
    wallSeconds: process.uptime(),
    peakMegabytes: maxRSS / 1024,
  }
  writeSync(1, `${JSON.stringify(cost)}\n`)
})
