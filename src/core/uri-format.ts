import { parseUri, type Uri, type UriHost } from './uri.ts'

/** A URI in parts, all decoded; what is left out is empty. */
export interface UriParts {
  readonly scheme: string
  readonly user?: string | undefined
  readonly password?: string | undefined
  readonly hosts?: readonly { readonly name: string; readonly port?: number | undefined }[] | undefined
  /** True when the text has `//`; by default when there is a host. */
  readonly hierarchical?: boolean | undefined
  readonly path?: readonly string[] | undefined
  /** True when the path begins with `/`; by default behind a host. */
  readonly absolute?: boolean | undefined
  readonly params?: readonly { readonly name: string; readonly value?: string | undefined }[] | undefined
}

/** The text that parses to these parts. Parts that `parseUri` gave, unchanged, give the text that they came from. */
export function formatUri(parts: UriParts | Uri): string {
  const { user, password, hosts = [], path = [], params = [] } = parts
  const hierarchical = parts.hierarchical ?? hosts.length > 0
  const absolute = parts.absolute ?? (hierarchical && path.length > 0)
  let text = `${parts.scheme}:`
  if (hierarchical) text += '//'
  if (user !== undefined) text += encoded(user, /[%:@/?#]/g)
  if (password !== undefined) text += `:${encoded(password, /[%@/?#]/g)}`
  if (user !== undefined) text += '@'
  text += hosts.map(hostText).join(',')
  if (absolute) text += '/'
  text += path.map((segment) => encoded(segment, /[%/?#]/g)).join('/')
  params.forEach(({ name, value }, i) => {
    text += `${i === 0 ? '?' : '&'}${encoded(name, /[%=&#]/g)}`
    if (value !== undefined) text += `=${encoded(value, /[%&#]/g)}`
  })
  return 'text' in parts && text !== parts.text && isSame(text, parts) ? parts.text : text
}

function hostText({ name, port }: Pick<UriHost, 'name'> & { readonly port?: number | undefined }): string {
  const text = name.includes(':') ? `[${name.replaceAll('%', '%25')}]` : encoded(name, /[%:@,/?#[\]]/g)
  return port === undefined ? text : `${text}:${port}`
}

/** Blanks, too, are written as escapes: a URI is often put into a text. */
function encoded(text: string, special: RegExp): string {
  return text.replace(special, encodeURIComponent).replace(/\s/g, encodeURIComponent)
}

/** Whether the built text means what the parts were parsed from: another spelling of the same URI. */
function isSame(text: string, parts: Uri): boolean {
  const plain = (uri: Uri) =>
    JSON.stringify({ ...uri, text: '', params: uri.params.map(({ name, value }) => [name, value]) })
  return plain(parseUri(text)) === plain(parts) && plain(parseUri(parts.text)) === plain(parts)
}
