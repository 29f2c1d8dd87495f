import { refusal } from './problem.ts'

/** Throws `not_acceptable` when a header `Accept` takes none of the types. */
export function demandAcceptable(accept: string | undefined, types: readonly string[]): void {
  if (accept === undefined || accept === '' || accept.includes('*/*')) return
  if (types.some((type) => accepts(accept, type))) return
  throw refusal('not_acceptable', `the answer is ${types.join(' or ')}`)
}

/** True when the header names the type or its range, and not with q=0. */
export function accepts(accept: string, type: string): boolean {
  const range = `${type.slice(0, type.indexOf('/'))}/*`
  return accept
    .toLowerCase()
    .split(',')
    .some((entry) => {
      const [name = '', ...parameters] = entry.split(';')
      if (parameters.some((parameter) => /^\s*q\s*=\s*0(\.0*)?\s*$/.test(parameter))) return false
      return [type, range, '*/*'].includes(name.trim())
    })
}

/** The type of a body without its parameters, lower-cased. Throws `unsupported_media_type` for another charset. */
export function mediaType(header: string | undefined): string {
  if (header === undefined) return ''
  const [type = '', ...parameters] = header.toLowerCase().split(';')
  const charset = parameters.find((parameter) => parameter.trim().startsWith('charset='))
  if (charset !== undefined && !/^\s*charset="?utf-?8"?\s*$/.test(charset)) {
    throw refusal('unsupported_media_type', 'the body must be UTF-8')
  }
  return type.trim()
}

/** Throws `unsupported_media_type` unless the body has one of the types; one without a type is taken as JSON. */
export function demandMediaType(header: string | undefined, types: readonly string[]): string {
  if (header === 'application/json') return header
  const type = mediaType(header)
  if (type === '' || types.includes(type)) return type
  throw refusal('unsupported_media_type', `the body must be ${types.join(' or ')}`)
}
