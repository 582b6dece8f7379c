// Closes a test run with one plain line made of vitest's own counts: `node scripts/test-summary.mjs <results.json>`.
import { readFileSync } from 'node:fs'

const [file] = process.argv.slice(2)
if (!file) throw new Error('Usage: node scripts/test-summary.mjs <results.json>')

const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, numFailedTestSuites, testResults, success } = JSON.parse(
  readFileSync(file, 'utf8'),
)
// A file that could not be loaded has no tests to fail: it counts as one failure of its own.
const unloaded = testResults.filter(({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0)
for (const { name, message } of unloaded) console.log(`Not loaded: ${name}\n${message}`)

const failed = numFailedTests + unloaded.length
console.log(`${numPassedTests} passed, ${failed} failed, ${numPendingTests + numTodoTests} skipped`)
if (failed > 0 || numFailedTestSuites > 0 || !success) process.exitCode = 1
