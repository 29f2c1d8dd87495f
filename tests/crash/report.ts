/** What one invocation of these tests found. */
export class Report {
  passed = 0
  failed = 0

  /** One test with its result on one line. */
  line(name: string, isClean: boolean, facts: string): void {
    if (isClean) this.passed++
    else this.failed++
    process.stdout.write(`${name}: ${isClean ? 'passed' : 'FAILED'}; ${facts}\n`)
  }

  /** The same for a test that throws where it fails; `facts` come from it where it passes. */
  async test(name: string, run: () => Promise<string>): Promise<void> {
    try {
      this.line(name, true, await run())
    } catch (error) {
      this.line(name, false, error instanceof Error ? error.message : String(error))
    }
  }

  /** Something to know that is no result. */
  say(text: string): void {
    process.stdout.write(`${text}\n`)
  }
}

/** How these tests are run. */
export interface Form {
  readonly full: boolean
  readonly seed: number
  readonly only: string | undefined
  readonly savePoints: boolean
}
