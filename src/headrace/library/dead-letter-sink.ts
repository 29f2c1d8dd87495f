import { DeadLetterSink as OpenedBy, type OpenSink } from '../../processor/sinks/dead-letter.ts'
import { createSink } from './create.ts'
import { refuseUnknown } from './errors.ts'
import { toSink } from './message-sink.ts'

/** Where messages go that cannot be processed: the sink of a URI, opened with the first of them. */
export class DeadLetterSink extends OpenedBy {
  /** `openSink`: what makes a message sink of the URI, if not `toSink(createSink(uri))`. */
  constructor(uri: string, options: { readonly openSink?: OpenSink | undefined } = {}) {
    refuseUnknown('a dead-letter sink', options, { openSink: true })
    const { openSink = open } = options
    // A URI that cannot be used is told now, and not with the first dead letter.
    if (openSink === open) createSink(uri)
    super(uri, { openSink })
  }
}

const open: OpenSink = (uri) => toSink(createSink(uri))
