import { expect, test } from 'vitest'
import { ProcessingDecision, SkipReason } from './decision.ts'

const forms = [
  [ProcessingDecision.process, '{"decision":"Process"}'],
  [ProcessingDecision.skip(SkipReason.duplicate), '{"decision":"Skip","reason":{"type":"Duplicate"}}'],
  [ProcessingDecision.skip(SkipReason.rateLimited), '{"decision":"Skip","reason":{"type":"RateLimited"}}'],
  [
    ProcessingDecision.skip(SkipReason.filtered('too small')),
    '{"decision":"Skip","reason":{"type":"Filtered","details":{"reason":"too small"}}}',
  ],
  [
    ProcessingDecision.skip(SkipReason.invalid('x')),
    '{"decision":"Skip","reason":{"type":"Invalid","details":{"reason":"x"}}}',
  ],
  [
    ProcessingDecision.skip(SkipReason.outOfWindow('old')),
    '{"decision":"Skip","reason":{"type":"OutOfWindow","details":{"reason":"old"}}}',
  ],
  [
    ProcessingDecision.skip(SkipReason.custom('policy', 'd')),
    '{"decision":"Skip","reason":{"type":"Custom","details":{"category":"policy","details":"d"}}}',
  ],
] as const

test('every decision has its JSON form, and is read from it', () => {
  for (const [decision, json] of forms) {
    expect(JSON.stringify(decision)).toBe(json)
    const read = ProcessingDecision.fromJSON(json)
    expect([read.isProcess(), read.reason]).toEqual([decision.isProcess(), decision.reason])
  }
})

test('anything else is no decision', () => {
  for (const json of ['', '{}', '{"decision":"Skip"}', '{"decision":"Skip","reason":{"type":"Filtered"}}', 'null']) {
    expect(() => ProcessingDecision.fromJSON(json), json).toThrow('unexpected state')
  }
})
