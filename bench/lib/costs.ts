import type { Cost } from './pairs.ts'

/** Prints what this process has cost so far, start-up included; call it last. */
export function printCost(): void {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage()
  const cost: Cost = {
    cpuSeconds: (userCPUTime + systemCPUTime) / 1e6,
    wallSeconds: process.uptime(),
    peakMegabytes: maxRSS / 1024,
  }
  process.stdout.write(`${JSON.stringify(cost)}\n`)
}
