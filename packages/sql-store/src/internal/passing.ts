/** Describes failures of a database, and tells which may pass by themselves. */
import * as Predicate from "effect/Predicate"
import type { SqlError } from "effect/sql/SqlError"

/**
 * The error codes of PostgreSQL for a server that starts or stops (57P), lacks
 * memory, disk space or connections (53), has a failing disk (58), or is a standby
 * that may become the primary (25006). Effect has no class for them.
 *
 * https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const passing = /^(57P|53|58|25006)/

/** The error code of PostgreSQL, if Effect has no class for it. */
export const codeOf = ({ reason }: SqlError): string | undefined =>
  reason._tag === "UnknownError" &&
  Predicate.hasProperty(reason.cause, "code") &&
  Predicate.isString(reason.cause.code)
    ? reason.cause.code
    : undefined

/** Whether the same statement may succeed a moment later. */
export const isPassing = (error: SqlError): boolean =>
  error.isRetryable || passing.test(codeOf(error) ?? "")

/** The driver's message, and the server's or the system's own, which says why. */
export const describe = ({ message, reason }: SqlError): string =>
  reason.cause instanceof Error && reason.cause.message !== message
    ? `${message}: ${reason.cause.message}`
    : message
