import { DeadLetterSink as OpenedBy, type OpenSink } from '../../processor/sinks/dead-letter.ts'
import { createSink } from './create.ts'
import { toSink } from './message-sink.ts'

/** Where messages go that cannot be processed: the sink of a URI, opened with the first of them. */
export class DeadLetterSink extends OpenedBy {
  /** `openSink`: what makes a message sink of the URI, if not `toSink(createSink(uri))`. */
  constructor(uri: string, { openSink = open }: { readonly openSink?: OpenSink | undefined } = {}) {
    super(uri, { openSink })
  }
}

const open: OpenSink = (uri) => toSink(createSink(uri))
