// The module: what the host calls.
export { initTables } from "./tables";
export { initCrc, crc32c } from "./crc32c";
export { indexLines, linesNext } from "./lines";
export { scanJson, widen, anyZero } from "./json-scan";
export { isJson, valueEnd } from "./validate";
export { isUtf8, unescape, unescapedEnd } from "./text";
export { parseIso, parseDate, isoMicros, isoDays, microsOf, unitFits } from "./time";
export { scanNumber, doubleOf, doubleKnown, integerOf, integerFits } from "./number";
export { putDouble, putInt, putTimestamp, putDate, putScaled } from "./write";
export { encodeRows, encodeDialect, encodeEnd } from "./encode";
export { keyLookup, keyRehash, keyForget, fillZero } from "./key-table";
export { scanCsv } from "./csv-scan";
export { endOfNested } from "./text";
