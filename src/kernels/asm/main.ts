// The module: what the host calls.
export { initTables } from "./tables";
export { initCrc, crc32c } from "./crc32c";
export { indexLines, linesNext } from "./lines";
export { scanJson, widen, anyZero } from "./json-scan";
export { scanCsv } from "./csv-scan";
export { endOfNested } from "./text";
export { parseIso, parseDate, isoMicros, isoDays } from "./time";
export { scanNumber, doubleOf, doubleKnown } from "./number";
export { putDouble, putTimestamp, putDate } from "./write";
export { encodeRows, encodeDialect, encodeEnd } from "./encode";
export { keyLookup, keyRehash, keyForget, keyCopy, keyCopyEnd, fillZero } from "./key-table";
