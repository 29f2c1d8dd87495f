// The door of the façade: what programs outside this folder may use.
export { DeadLetters } from './dead-letters.ts'
export { describe } from './describe.ts'
export { Engine } from './engine.ts'
export { Pipeline } from './pipeline.ts'
export { compileScript, explainScript } from './script.ts'
