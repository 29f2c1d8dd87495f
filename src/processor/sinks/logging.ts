import { type Logger, type LogLevel, stderrLogger } from '../../core/logger.ts'
import { DONE } from '../../core/ring.ts'
import type { Message } from '../message.ts'
import { needFunction, oneOf, refuseUnknown } from '../settings.ts'
import type { Sink } from '../sink.ts'

/** One structured line for each message: id, source, size, content type. */
export class LoggingSink implements Sink {
  readonly #level: LogLevel
  readonly #logger: Logger

  constructor(options: { readonly level?: LogLevel | undefined; readonly logger?: Logger | undefined } = {}) {
    refuseUnknown('a logging sink', options, { level: true, logger: true })
    const { level = 'info', logger = stderrLogger } = options
    oneOf('level', level, ['debug', 'info', 'warn', 'error'])
    needFunction('logger', logger)
    this.#level = level
    this.#logger = logger
  }

  send({ id, metadata, size, contentType = 'unknown' }: Message): Promise<void> {
    this.#logger(this.#level, 'message', { id, source: metadata.source, size, contentType })
    return DONE
  }
}

/** `LoggingSink` by its level alone. */
export class TracingSink extends LoggingSink {
  constructor(level: LogLevel = 'info') {
    super({ level })
  }
}
