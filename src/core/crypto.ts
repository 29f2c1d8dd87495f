/** Loaded at its first use: that takes 8 ms, which most runs need not wait for. */
const crypto = (): typeof import('node:crypto') => process.getBuiltinModule('node:crypto')

/** A digest that is fed by pieces. */
export const createHash = (algorithm: string): import('node:crypto').Hash => crypto().createHash(algorithm)
