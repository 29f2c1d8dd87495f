import { expect, test } from 'vitest'
import { HeadraceError } from './errors.ts'
import { freshSeed, Random } from './random.ts'
import { parseUri, pathUri, redactText, schemeOf } from './uri.ts'

const parts = (text: string): unknown => {
  const { scheme, user, password, hosts, path, absolute, params } = parseUri(text)
  const userinfo = user === undefined ? {} : { user, password }
  const pairs = params.map(({ name, value }) => (value === undefined ? name : `${name}=${value}`))
  return {
    scheme,
    ...userinfo,
    hosts: hosts.map(({ name, port }) => (port === undefined ? name : `${name}:${port}`)),
    path: (absolute ? '/' : '') + path.join('/'),
    params: pairs,
  }
}

test('the URIs of the specification', () => {
  expect(parts('file:///data/orders.csv?format=csv&delimiter=,')).toEqual({
    scheme: 'file',
    hosts: [],
    path: '/data/orders.csv',
    params: ['format=csv', 'delimiter=,'],
  })
  expect(parts('kafka://u:p@b1,b2:9093,[::1]:9094/t')).toEqual({
    scheme: 'kafka',
    user: 'u',
    password: 'p',
    hosts: ['b1', 'b2:9093', '::1:9094'],
    path: '/t',
    params: [],
  })
  expect(parts('postgresql://localhost/db?table=orders&cdc=true')).toMatchObject({ hosts: ['localhost'], path: '/db' })
  expect(parts('s3://bucket/data/*.parquet?region=us-west-2')).toMatchObject({
    hosts: ['bucket'],
    path: '/data/*.parquet',
  })
  expect(parts('memory:clicks')).toMatchObject({ hosts: [], path: 'clicks' })
  expect(parts('memory://clicks')).toMatchObject({ hosts: ['clicks'], path: '' })
  expect(parts('file:rel/path')).toMatchObject({ path: 'rel/path' })
  expect(parts('stdout:')).toMatchObject({ scheme: 'stdout', path: '' })
  expect(parts('sse+https://h/x')).toMatchObject({ scheme: 'sse+https' })
})

test('each component is decoded once', () => {
  expect(parts('file:///a%20b/c%2Fd?x=%26%3D&y=a+b')).toMatchObject({ path: '/a b/c/d', params: ['x=&=', 'y=a+b'] })
  expect(parseUri('file:///c%2Fd').path).toEqual(['c/d'])
  expect(parseUri('file:///%2541').path).toEqual(['%41'])
  expect(parseUri('kafka://us%40er:p%3Aw@h/t')).toMatchObject({ user: 'us@er', password: 'p:w' })
})

test('a parameter without value, an empty value, a repeated parameter', () => {
  expect(parseUri('file:a?recursive&x=&x=2').params.map(({ name, value }) => [name, value])).toEqual([
    ['recursive', undefined],
    ['x', ''],
    ['x', '2'],
  ])
})

test.each([
  ['nothing', 'a URI begins with a scheme', 0],
  ['file:///a#b', '"#" has no meaning', 9],
  ['file:///a%2', 'not followed by two hex digits', 9],
  ['file:///%ff', 'not valid UTF-8', 8],
  ['file:///%00', 'control character', 8],
  ['file:///a\nb', 'control character', 9],
  ['kafka://h:0/t', '"0" is not a port', 10],
  ['kafka://h:65536/t', '"65536" is not a port', 10],
  ['kafka://h:x/t', '"x" is not a port', 10],
  ['kafka://h:/t', '"" is not a port', 10],
  ['kafka://a,,b/t', 'a host is empty', 10],
  ['kafka://[::1/t', 'lacks its "]"', 8],
  ['kafka://[zz]/t', 'is not IPv6', 8],
  ['file:a?=x', 'a parameter has no name', 7],
])('%j is refused with its column', (text, message, column) => {
  let caught: unknown
  try {
    parseUri(text)
  } catch (error) {
    caught = error
  }
  expect(caught).toBeInstanceOf(HeadraceError)
  const error = caught as HeadraceError
  expect(error.code).toBe('connector_uri_invalid')
  expect(error.message).toContain(message)
  expect(error.at).toMatchObject({ kind: 'uri', column })
})

test('secrets are not printed', () => {
  expect(redactText('kafka://u:p%40w@h/t?api_key=1&x=2')).toBe('kafka://u:***@h/t?api_key=***&x=2')
  expect(() => parseUri('kafka://u:hidden@h:x/t')).toThrow(/^(?!.*hidden)/)
})

test('a bare path is literal text', () => {
  expect(schemeOf('data/a.csv')).toBeUndefined()
  expect(schemeOf('C:\\x')).toBeUndefined()
  expect(pathUri('/a b/c?.csv')).toMatchObject({ scheme: 'file', path: ['a b', 'c?.csv'], absolute: true, params: [] })
})

test('what is encoded comes back, whatever the text', () => {
  const seed = freshSeed()
  const random = new Random(seed)
  const alphabet = [...'abc%/?&=+:@,# é😀"<>[]{}']
  const word = (): string => Array.from({ length: 1 + random.below(8) }, () => random.pick(alphabet)).join('')
  for (let i = 0; i < 2000; i++) {
    const path = Array.from({ length: 1 + random.below(3) }, word)
    const params = Array.from({ length: random.below(3) }, () => [word(), word()] as const)
    const [user, password] = [word(), word()]
    const query = params.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join('&')
    const text = `kafka://${encodeURIComponent(user)}:${encodeURIComponent(password)}@h:1/${path.map(encodeURIComponent).join('/')}${query === '' ? '' : `?${query}`}`
    const uri = parseUri(text)
    expect(uri.path, `seed ${seed}: ${text}`).toEqual(path)
    expect(
      uri.params.map(({ name, value }) => [name, value]),
      `seed ${seed}: ${text}`,
    ).toEqual(params)
    expect([uri.user, uri.password], `seed ${seed}: ${text}`).toEqual([user, password])
  }
})
