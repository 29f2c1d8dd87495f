import { didYouMean } from '../../core/suggest.ts'
import type { Span } from '../../expr/bound.ts'
import type { CreateSecret } from '../ast-statements.ts'
import { lex } from '../lexer.ts'
import type { Environment } from './context.ts'
import { fault } from './failure.ts'

/** CREATE SECRET: the value is looked up once, when the script is planned. */
export async function createSecret(body: CreateSecret, environment: Environment): Promise<void> {
  const { secrets, catalogue, text } = environment
  const name = body.name.text.toLowerCase()
  if (secrets.has(name) && !body.orReplace) {
    if (body.ifNotExists) return
    fault('sql_object_exists', `secret "${body.name.text}" exists`, body.name.span, {
      hint: 'use CREATE OR REPLACE, IF NOT EXISTS, or another name',
    })
  }
  const written = lex(text.slice(body.valueSpan.start, body.valueSpan.end)).tokens[0]!.text
  const value = await catalogue.secret({ kind: body.source, text: written })
  if (value === undefined || value === '') {
    const { env, file } = {
      env: `variable "${written}" is not set`,
      file: `file "${written}" cannot be read or is empty`,
    }
    const why = { env, file, value: 'the text is empty' }[body.source]
    fault('sql_secret_not_found', `secret "${body.name.text}" has no value: ${why}`, body.span, {
      hint: body.source === 'env' ? `set it: ${written}=… headrace run …` : 'give it a value',
    })
  }
  secrets.set(name, value)
}

/** The value that `${secret:name}` stands for. */
export function secretValue(name: string, span: Span, { secrets }: Environment): string {
  const value = secrets.get(name.toLowerCase())
  if (value !== undefined) return value
  return fault('sql_secret_not_found', `secret "${name}" does not exist`, span, {
    hint: didYouMean(name, [...secrets.keys()]) ?? `make it before: CREATE SECRET ${name} FROM ENV 'VARIABLE'`,
  })
}
