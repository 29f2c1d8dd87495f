/** Every limit of the product that is not an option. Names carry their unit. */
export const limits = {
  /** Rows of a batch when nothing else is said, and at most (rulings 43). */
  batchRows: 8192,
  batchRowsMax: 16_384,
  /** Input of one kernel call: with records of usual size a full batch. */
  kernelInputBytes: 1024 * 1024,
  /** One record of a source; above it the record is a reject. */
  recordBytesMax: 64 * 1024 * 1024,
  lineBytesMax: 16 * 1024 * 1024,
  /** First size of a worker's memory, and its most pages of 64 KiB: 2 GiB less one page, so addresses are int32. */
  memoryInitialBytes: 16 * 1024 * 1024,
  memoryPagesMax: 32_767,
  /** Learned shapes of a JSON-lines stream. */
  jsonTemplates: 12,
  jsonDepthMax: 64,
  dictionaryEntries: 65_536,
  /** Errors shown of one script. */
  diagnosticsMax: 20,
  filesOpenMax: 256,
  /** Rows of one GENERATE_SERIES, which is held whole. */
  seriesRowsMax: 10_000_000,
  /** Dead letters that a pipeline without a name prints. */
  rejectsPrinted: 10,
  /** Rows that a policy drops and that are told, for each code and minute. */
  skippedPrinted: 10,
  /** Rows of one sink that wait for their commit; a barrier comes at half of it. */
  spoolBytes: 1024 * 1024 * 1024,
  schemaSampleRows: 1000,
  schemaSampleBytes: 4 * 1024 * 1024,
  inflateRatioMax: 200,
} as const
