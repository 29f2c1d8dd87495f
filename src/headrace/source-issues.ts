import type { Source } from '../connectors/contract.ts'

/** Tells what sources say is wrong with them, each thing once. */
export class SourceIssues {
  readonly #told = new Set<string>()
  readonly #tell: (issue: Error) => void

  constructor(tell: (issue: Error) => void) {
    this.#tell = tell
  }

  async look(sources: readonly { readonly node: { readonly name: string }; readonly source: Source }[]): Promise<void> {
    for (const { node, source } of sources) {
      const { issues } = await source.health()
      for (const { code, detail } of issues) {
        const text = `source '${node.name}': ${detail} [${code}]`
        if (this.#told.has(text)) continue
        this.#told.add(text)
        this.#tell(new Error(text))
      }
    }
  }
}
