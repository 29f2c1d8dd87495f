#!/usr/bin/env node
// Old syntax on purpose: this file must run, and say what to do, on any Node.
var major = Number(process.versions.node.split('.')[0])
if (major < 24) {
  process.stderr.write(
    'error[environment_node_version]: headrace needs Node 24 or newer, this is ' +
      process.versions.node +
      '\n' +
      'hint: install Node 24, or run it with: npx -p node@24 -p headrace headrace\n',
  )
  process.exit(3)
}
var first = process.argv[2]
if (process.argv.length === 3 && (first === '--version' || first === '-V')) {
  process.stdout.write(require('../package.json').version + '\n')
} else {
  require('node:module').enableCompileCache()
  require('./code-cache.cjs').enable(/^[a-z-]{1,20}$/.test(first) ? first : 'none')
  require('../dist/main.cjs')
}
