// The entry of a decoder process in Node. It starts in a third of a second: of the contract only what needs no zod is loaded here.
import { parentTransport } from './node.ts'
import { serveDecoder } from './serve.ts'

serveDecoder(parentTransport())
