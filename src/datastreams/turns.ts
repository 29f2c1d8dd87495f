/** Tasks one after the other, in the order in which they came. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve()

  run<T>(task: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(task)
    this.#last = turn.catch(() => {})
    return turn
  }

  /** Resolves when everything that came before is done. */
  async done(): Promise<void> {
    await this.#last
  }
}
