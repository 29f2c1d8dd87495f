// The door of the façade: what programs outside this folder may use.
export { DeadLetters } from './dead-letters.ts'
export { Engine } from './engine.ts'
export { Pipeline } from './pipeline.ts'
export { compileScript } from './script.ts'
