import { z } from 'zod'
import { findProcedure, LucidexError, type EngineHandlers, type GroupName } from '../contract/index.ts'

/** Calls a procedure by its wire name: finds it, parses the argument, runs it, parses the result. */
export type Call = (name: string, argument: unknown) => Promise<unknown>

/**
 * The engine's edge: nothing gets in or out unparsed.
 * Errors: UNKNOWN_PROCEDURE, BAD_REQUEST naming the field, and what the handler throws.
 */
export function createCall(handlers: EngineHandlers): Call {
  return async (name, argument) => {
    const procedure = findProcedure(name)
    if (!procedure) throw new LucidexError('UNKNOWN_PROCEDURE', `There is no procedure ${name}`)
    const parsed = procedure.input.safeParse(argument)
    if (!parsed.success) throw new LucidexError('BAD_REQUEST', `${name}: ${explain(parsed.error)}`)
    const [group, verb] = name.split('.') as [GroupName, string]
    const handler = (handlers[group] as Record<string, (argument: unknown) => unknown>)[verb]!
    const answer = procedure.output.safeParse(await handler(parsed.data))
    if (!answer.success) throw new LucidexError('INTERNAL', `${name} answered wrongly: ${explain(answer.error)}`)
    return answer.data
  }
}

function explain(error: z.ZodError): string {
  return error.issues.map((issue) => `${issue.path.join('.') || 'argument'}: ${issue.message}`).join('; ')
}
