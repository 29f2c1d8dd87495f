'use strict'
// What V8 has compiled of the command is kept between runs. Node's own compile cache stores a file as it is when it is
// loaded, when next to nothing of it is compiled yet: functions would be parsed and compiled anew in every run. Here the
// code is taken after the run has used it, one file for each command.
const fs = require('node:fs')
const Module = require('node:module')
const os = require('node:os')
const path = require('node:path')
const vm = require('node:vm')

/** Of an endless run the code is kept after so many milliseconds. */
const KEEP_AFTER_MS = 2000
/** Parts begin at multiples of it: V8 copies what is not aligned. */
const ALIGN = 8
const own = path.join(__dirname, '..', 'dist') + path.sep
const shared = ['commander', 'picomatch'].map((name) => path.sep + path.join('node_modules', name) + path.sep)

exports.enable = function enable(verb) {
  if (process.env.NODE_DISABLE_COMPILE_CACHE) return
  const folder = privateFolder()
  if (folder === undefined) return
  const file = path.join(folder, `${verb}.code`)
  const known = readParts(file)
  const used = []
  let isNew = false
  const original = Module.prototype._compile
  Module.prototype._compile = function (content, filename, format) {
    const isOurs = filename.startsWith(own) || shared.some((part) => filename.includes(part))
    // What imports when it runs is left to Node's loader, which knows where to look.
    const isPlain = isOurs && format !== 'module' && !content.startsWith('#!') && !content.includes('import(')
    if (!isPlain) return original.call(this, content, filename, format)
    const key = keyOf(filename)
    const cachedData = known.get(key)
    const script = new vm.Script(Module.wrap(content), { filename, cachedData })
    if (cachedData === undefined || script.cachedDataRejected) isNew = true
    used.push([key, script])
    const require = Module.createRequire(filename)
    script.runInThisContext().call(this.exports, this.exports, require, this, filename, path.dirname(filename))
  }
  let isKept = false
  const keep = () => {
    if (isKept || !isNew) return
    isKept = true
    const parts = new Map(known)
    for (const [key, script] of used) parts.set(key, script.createCachedData())
    writeParts(file, parts)
  }
  process.once('exit', keep)
  setTimeout(keep, KEEP_AFTER_MS).unref()
}

/** The file as it is now: V8 itself compares only lengths. */
function keyOf(filename) {
  const { size, mtimeMs } = fs.statSync(filename)
  return `${filename}:${size}:${mtimeMs}`
}

/** A folder that nobody else can write to; undefined when there is none. */
function privateFolder() {
  try {
    const base = process.env.NODE_COMPILE_CACHE || path.join(os.tmpdir(), 'node-compile-cache')
    const user = process.getuid === undefined ? 'user' : process.getuid()
    const folder = path.join(base, `headrace-${process.version}-${process.arch}-${user}`)
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 })
    const facts = fs.lstatSync(folder)
    return facts.isDirectory() && isPrivate(facts.uid, facts.mode) ? folder : undefined
  } catch {
    return undefined
  }
}

// A kept file: u32 bytes of the head, u32 bytes of the file, head [[key, offset, length] …] as JSON, parts. It is on disk
// before it has its name: what is read is whole.

function readParts(file) {
  const parts = new Map()
  try {
    const bytes = readOwn(file)
    const head = bytes.readUInt32LE(0)
    if (bytes.readUInt32LE(4) !== bytes.length) return parts
    for (const [key, offset, length] of JSON.parse(bytes.toString('utf8', 8, 8 + head))) {
      parts.set(key, bytes.subarray(offset, offset + length))
    }
  } catch {
    // It is made anew.
  }
  return parts
}

/** Who may write to the folder above could put another file here: what is read is this user's own. */
function readOwn(file) {
  const descriptor = fs.openSync(file, 'r')
  try {
    const { uid, mode } = fs.fstatSync(descriptor)
    if (!isPrivate(uid, mode)) throw new Error('not ours')
    return fs.readFileSync(descriptor)
  } finally {
    fs.closeSync(descriptor)
  }
}

const isPrivate = (uid, mode) => process.getuid === undefined || (uid === process.getuid() && (mode & 0o022) === 0)

function writeParts(file, parts) {
  try {
    // Another build of a file has another key; its old parts go.
    const newest = new Map([...parts].map(([key, data]) => [key.slice(0, key.lastIndexOf(':', key.lastIndexOf(':') - 1)), [key, data]]))
    const entries = [...newest.values()].map(([key, data]) => ({ key, data, offset: 0 }))
    const sizes = entries.map(({ key, data }) => [key, 4_294_967_295, data.length])
    // Offsets are written with the width they have at most, so that the head does not grow with them.
    let at = aligned(8 + Buffer.byteLength(JSON.stringify(sizes)))
    for (const entry of entries) {
      entry.offset = at
      at = aligned(at + entry.data.length)
    }
    const bytes = Buffer.alloc(at)
    const head = JSON.stringify(entries.map(({ key, data, offset }) => [key, offset, data.length]))
    bytes.writeUInt32LE(Buffer.byteLength(head), 0)
    bytes.write(head, 8)
    for (const { data, offset } of entries) data.copy(bytes, offset)
    bytes.writeUInt32LE(bytes.length, 4)
    const mine = `${file}.${process.pid}`
    fs.writeFileSync(mine, bytes, { mode: 0o600, flush: true })
    fs.renameSync(mine, file)
  } catch {
    // Without it the next start is slower.
  }
}

const aligned = (at) => Math.ceil(at / ALIGN) * ALIGN
