import type { Capabilities, Connector } from '../connectors/contract.ts'
import { HeadraceError } from '../core/errors.ts'
import type { Side } from '../core/option-types.ts'
import { type GivenOption, type OptionValues, parseOptions } from '../core/options.ts'
import { parseUri, pathUri, redactText, schemeOf, type Uri } from '../core/uri.ts'
import type { OptionEntry } from '../sql/catalogue.ts'
import { builtInConnectors, type ConnectorLookup } from './catalogue.ts'

/** A source or sink that is named and checked, not yet opened. */
export interface Endpoint {
  readonly side: Side
  readonly uri: Uri
  /** The text as printed: secrets redacted. */
  readonly printed: string
  readonly connector: Connector
  readonly options: OptionValues
  /** Discovered columns that hold values of several kinds. */
  readonly mixed?: ReadonlySet<string> | undefined
  /** The columns were told from a sample that ended before the input. */
  readonly sampleCut?: boolean | undefined
}

/** Parses a URI or bare path and checks its options; needs no network and opens nothing. */
export async function endpoint(
  text: string,
  side: Side,
  given: readonly OptionEntry[] = [],
  connectors: ConnectorLookup = builtInConnectors,
): Promise<Endpoint> {
  const uri = schemeOf(text) === undefined ? pathUri(text) : parseUri(text)
  const connector = await connectors.connectorFor(uri.scheme)
  if (!hasSide(connector.capabilities, side, uri.scheme)) {
    throw new HeadraceError('connector_side_unsupported', `"${uri.scheme}:" is not a ${side}`, {
      hint: side === 'sink' ? 'write to a file, stdout: or memory:' : 'read from a file, stdin: or memory:',
    })
  }
  const entries: GivenOption[] = [
    ...uri.params.map(({ name, value }) => ({ name, value, origin: 'URI parameter' })),
    ...given.map(({ name, value }) => ({ name, value, origin: 'WITH' })),
  ]
  const subject = `${side} ${uri.scheme}`
  const options = parseOptions(connector.options, entries, { side, subject })
  return { side, uri, printed: redactText(text), connector, options }
}

function hasSide(capabilities: Capabilities, side: Side, scheme: string): boolean {
  if (scheme === 'stdin') return side === 'source'
  if (scheme === 'stdout' || scheme === 'stderr') return side === 'sink'
  return capabilities[side] !== undefined
}
