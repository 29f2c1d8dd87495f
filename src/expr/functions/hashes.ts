import { crc32 } from 'node:zlib'
import { createHash } from '../../core/crypto.ts'
import { types } from '../../core/types.ts'
import { exact, type Value } from '../../core/values.ts'
import type { Argument, ScalarFunction, ScalarOverload } from '../functions.ts'
import { hash64 } from '../hash.ts'
import { jsonOfValue } from '../value-json.ts'
import { define, example, fixed, overload } from './define.ts'

const ofTextOrBytes = (call: (bytes: string | Uint8Array) => Value, type = types.string as ScalarOverload['type']) =>
  [types.string, types.bytes].map((from) => ({
    parameters: [from],
    type,
    call: (value: Value) => call(value as string | Uint8Array),
  }))

const digest = (name: string, algorithm: string, sql: string, result: string): ScalarFunction =>
  fixed({
    name,
    signatures: [`${name}(s | BYTES)`],
    summary: `${name} of the bytes, in hexadecimal.`,
    examples: [example(sql, result)],
    forms: ofTextOrBytes((bytes) => createHash(algorithm).update(bytes).digest('hex')),
  })

function signedHash(text: string): bigint {
  const { high, low } = hash64(text)
  return BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low))
}

/** Equal values of different numeric types hash alike: the JSON form is hashed. */
function hash(args: readonly Argument[]): ScalarOverload | undefined {
  if (args.length === 0) return undefined
  const kinds = args.map((arg) => arg.type)
  return overload({
    name: 'HASH64',
    parameters: kinds,
    type: types.bigint,
    seesNull: true,
    call: (...values: Value[]) => exact(signedHash(values.map((value, i) => jsonOfValue(value, kinds[i]!)).join('\n'))),
  })
}

export const hashFunctions: readonly ScalarFunction[] = [
  digest('MD5', 'md5', "MD5('abc')", "'900150983cd24fb0d6963f7d28e17f72'"),
  digest('SHA1', 'sha1', "SHA1('abc')", "'a9993e364706816aba3e25717850c26c9cd0d89d'"),
  digest('SHA256', 'sha256', "SHA256('abc')", "'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'"),
  fixed({
    name: 'CRC32',
    signatures: ['CRC32(s | BYTES)'],
    summary: 'CRC-32 of the bytes.',
    examples: [example("CRC32('abc')", '891568578')],
    forms: ofTextOrBytes((bytes) => crc32(bytes), types.bigint),
  }),
  define({
    name: 'HASH64',
    signatures: ['HASH64(any, …)'],
    summary: 'A 64-bit hash that is stable across runs; equal numbers of different types hash alike.',
    examples: [example('HASH64(1) = HASH64(1.0)', 'TRUE')],
    resolve: hash,
  }),
]
