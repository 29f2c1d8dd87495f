// The door of `headrace/testkit`: time and chance under control.
export { type Clock, ManualClock, systemClock } from '../core/clock.ts'
export { freshSeed, Random } from '../core/random.ts'
export { ListConsumer } from '../processor/testing.ts'
export { MockAccountChecker } from './mock-account-checker.ts'
