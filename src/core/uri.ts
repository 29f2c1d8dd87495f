import { HeadraceError } from './errors.ts'

export interface UriHost {
  /** Decoded; without brackets for IPv6. */
  readonly name: string
  readonly port: number | undefined
}

/** A URI taken apart (connectors.md §2); every part is decoded once. */
export interface Uri {
  readonly text: string
  readonly scheme: string
  readonly user: string | undefined
  readonly password: string | undefined
  /** Empty for `file:///x`, `memory:x`. */
  readonly hosts: readonly UriHost[]
  /** True when the text had `//`. */
  readonly hierarchical: boolean
  /** Decoded segments behind the authority (or of the opaque part); `/a/b/` is `['a', 'b', '']`. */
  readonly path: readonly string[]
  /** True when the path begins with `/`. */
  readonly absolute: boolean
  readonly params: readonly UriParam[]
}

export interface UriParam {
  readonly name: string
  /** Undefined when there was no `=`. */
  readonly value: string | undefined
  /** UTF-16 offset of the name in the text. */
  readonly at: number
}

const COLON = 58
const SLASH = 47

/** What one pass over the text finds. */
interface Outline {
  /** Some component needs percent-decoding. */
  readonly escaped: boolean
  /** Offset of the first "?" or the end. */
  readonly pathEnd: number
}

/** Parses a URI; throws `connector_uri_invalid` with the column of the fault. Needs no network and keeps no cache. */
export function parseUri(text: string): Uri {
  const scheme = schemeOf(text)
  if (scheme === undefined) fail(text, 0, 'a URI begins with a scheme such as file: or kafka:')
  const { escaped, pathEnd } = outline(text)
  let at = scheme.length + 1
  const hierarchical = text.charCodeAt(at) === SLASH && text.charCodeAt(at + 1) === SLASH
  let authority = NO_AUTHORITY
  if (hierarchical) {
    at += 2
    const slash = text.indexOf('/', at)
    const stop = slash < 0 || slash > pathEnd ? pathEnd : slash
    if (stop > at) authority = parseAuthority(text, at, stop)
    at = stop
  }
  const absolute = at < pathEnd && text.charCodeAt(at) === SLASH
  const from = absolute ? at + 1 : at
  return {
    text,
    scheme,
    user: authority.user,
    password: authority.password,
    hosts: authority.hosts,
    hierarchical,
    path: from < pathEnd || (absolute && !hierarchical) ? parsePath(text, from, pathEnd, escaped) : NO_SEGMENTS,
    absolute,
    params: pathEnd === text.length ? NO_PARAMS : parseParams(text, pathEnd + 1, escaped),
  }
}

const NO_SEGMENTS: readonly string[] = []
const NO_PARAMS: readonly UriParam[] = []

const FORBIDDEN = /[#\u0000-\u001f\u007f]/

/** One loop: three searches by regular expression and built-ins take twice as long. */
function outline(text: string): Outline {
  let escaped = false
  let pathEnd = text.length
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (c > 63) {
      if (c === 127) refuse(text)
    } else if (c === 63) {
      if (pathEnd === text.length) pathEnd = i
    } else if (c === 37) escaped = true
    else if (c < 32 || c === 35) refuse(text)
  }
  return { escaped, pathEnd }
}

function refuse(text: string): never {
  const at = text.search(FORBIDDEN)
  if (text[at] === '#') fail(text, at, '"#" has no meaning in a source or sink URI', 'write %23 for a literal "#"')
  fail(text, at, 'a control character is not allowed', 'percent-encode it')
}

/** The scheme of a text that has one (two letters at least, so that `C:\x` is a path); undefined for a bare path. */
export function schemeOf(text: string): string | undefined {
  const colon = text.indexOf(':')
  if (colon < 2) return undefined
  for (let i = 0; i < colon; i++) {
    const c = text.charCodeAt(i)
    const lower = c >= 97 && c <= 122
    if (!lower && (i === 0 || !((c >= 48 && c <= 57) || c === 43 || c === 45))) return undefined
  }
  return text.slice(0, colon)
}

interface Authority {
  readonly user: string | undefined
  readonly password: string | undefined
  readonly hosts: readonly UriHost[]
}

const NO_AUTHORITY: Authority = { user: undefined, password: undefined, hosts: [] }

function parseAuthority(text: string, from: number, to: number): Authority {
  let user: string | undefined
  let password: string | undefined
  let at = from
  const sign = text.lastIndexOf('@', to - 1)
  if (sign >= from) {
    const colon = text.indexOf(':', from)
    const userEnd = colon >= from && colon < sign ? colon : sign
    user = decode(text, from, userEnd)
    if (userEnd < sign) password = decode(text, userEnd + 1, sign)
    at = sign + 1
  }
  const hosts: UriHost[] = []
  while (at <= to) {
    const comma = text.indexOf(',', at)
    const end = comma < 0 || comma > to ? to : comma
    hosts.push(parseHost(text, at, end))
    at = end + 1
  }
  return { user, password, hosts }
}

function parseHost(text: string, from: number, to: number): UriHost {
  if (from === to) fail(text, from, 'a host is empty', 'remove the comma or name the host')
  if (text.charCodeAt(from) === 91) {
    const close = text.indexOf(']', from)
    if (close < 0 || close >= to) fail(text, from, 'an IPv6 address lacks its "]"')
    const name = decode(text, from + 1, close)
    if (!/^[0-9a-fA-F:.]+(%[\w.-]+)?$/.test(name) || !name.includes(':')) fail(text, from, `"${name}" is not IPv6`)
    if (close + 1 === to) return { name, port: undefined }
    if (text.charCodeAt(close + 1) !== COLON) fail(text, close + 1, 'only a port may follow the "]"')
    return { name, port: parsePort(text, close + 2, to) }
  }
  const colon = text.indexOf(':', from)
  if (colon < 0 || colon >= to) return { name: decode(text, from, to), port: undefined }
  if (colon === from) fail(text, from, 'a host is empty', 'name the host before the port')
  return { name: decode(text, from, colon), port: parsePort(text, colon + 1, to) }
}

function parsePort(text: string, from: number, to: number): number {
  let port = 0
  for (let i = from; i < to; i++) {
    const digit = text.charCodeAt(i) - 48
    if (digit < 0 || digit > 9 || port > 65_535) {
      fail(text, from, `"${text.slice(from, to)}" is not a port`, 'a port is 1…65535')
    }
    port = port * 10 + digit
  }
  if (from === to || port < 1 || port > 65_535) {
    fail(text, from, `"${text.slice(from, to)}" is not a port`, 'a port is 1…65535')
  }
  return port
}

function parsePath(text: string, from: number, to: number, escaped: boolean): string[] {
  const segments: string[] = []
  let at = from
  for (;;) {
    const slash = text.indexOf('/', at)
    const end = slash < 0 || slash >= to ? to : slash
    segments.push(escaped ? decode(text, at, end) : text.slice(at, end))
    if (end === to) return segments
    at = end + 1
  }
}

function parseParams(text: string, from: number, escaped: boolean): UriParam[] {
  const params: UriParam[] = []
  let at = from
  while (at < text.length) {
    const amp = text.indexOf('&', at)
    const end = amp < 0 ? text.length : amp
    if (end > at) {
      const equals = text.indexOf('=', at)
      const nameEnd = equals < 0 || equals > end ? end : equals
      if (nameEnd === at) fail(text, at, 'a parameter has no name')
      const name = escaped ? decode(text, at, nameEnd) : text.slice(at, nameEnd)
      const value = escaped ? decode(text, nameEnd + 1, end) : text.slice(nameEnd + 1, end)
      params.push({ name, value: nameEnd < end ? value : undefined, at })
    }
    at = end + 1
  }
  return params
}

/** Percent-decodes one component. */
function decode(text: string, from: number, to: number): string {
  const part = text.slice(from, to)
  return part.includes('%') ? decodeEscapes(text, part, from) : part
}

function decodeEscapes(text: string, part: string, from: number): string {
  let decoded = ''
  let at = 0
  for (let sign = part.indexOf('%'); sign >= 0; sign = part.indexOf('%', at)) {
    const code = 16 * hexDigit(part.charCodeAt(sign + 1)) + hexDigit(part.charCodeAt(sign + 2))
    if (!(code >= 0)) fail(text, from + sign, 'a "%" is not followed by two hex digits', 'write %25 for "%"')
    if (code < 32 || code === 127) fail(text, from + sign, 'a control character is not allowed')
    if (code > 127) return decodeUtf8(text, part, from)
    decoded += part.slice(at, sign) + String.fromCharCode(code)
    at = sign + 3
  }
  return decoded + part.slice(at)
}

/** 0 … 15; NaN for anything else. */
function hexDigit(c: number): number {
  if (c >= 48 && c <= 57) return c - 48
  const lower = c | 32
  return lower >= 97 && lower <= 102 ? lower - 87 : Number.NaN
}

function decodeUtf8(text: string, part: string, from: number): string {
  const bad = /%(?![0-9a-fA-F]{2})/.exec(part)
  if (bad !== null) fail(text, from + bad.index, 'a "%" is not followed by two hex digits', 'write %25 for "%"')
  let decoded: string
  try {
    decoded = decodeURIComponent(part)
  } catch {
    fail(text, from + part.indexOf('%'), 'the escapes are not valid UTF-8')
  }
  if (/[\u0000-\u001f\u007f]/.test(decoded)) {
    fail(text, from + part.indexOf('%'), 'a control character is not allowed')
  }
  return decoded
}

function fail(text: string, at: number, message: string, hint?: string): never {
  const column = [...text.slice(0, at)].length
  throw new HeadraceError('connector_uri_invalid', `${message} (column ${column + 1} of "${redactText(text)}")`, {
    hint,
    at: { kind: 'uri', uri: redactText(text), column },
  })
}

const SECRET_NAME = /key|token|secret|password|signature/i

/** The text with passwords and secret-looking parameters as `***`; works on texts that do not parse, too. */
export function redactText(text: string): string {
  return text
    .replace(/^([a-z][a-z0-9+-]*:\/\/[^/?#@]*?):[^@/?]*@/, '$1:***@')
    .replace(/([?&])([^=&]+)=([^&]*)/g, (whole, mark: string, name: string) =>
      SECRET_NAME.test(name) ? `${mark}${name}=***` : whole,
    )
}

/** A path without a scheme is literal text with globs: no parameters, no decoding (rulings 72). */
export function pathUri(path: string): Uri {
  const absolute = path.startsWith('/')
  return {
    text: path,
    scheme: 'file',
    user: undefined,
    password: undefined,
    hosts: [],
    hierarchical: false,
    path: (absolute ? path.slice(1) : path).split('/'),
    absolute,
    params: [],
  }
}
