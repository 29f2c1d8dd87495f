import { Engine } from '../engine.ts'

let shared: Engine | undefined

/** What sources and sinks of no handle share: made when the first of them is used. */
export function processEngine(): Engine {
  shared ??= new Engine()
  return shared
}
