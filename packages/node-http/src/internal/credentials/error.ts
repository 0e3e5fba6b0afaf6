/** The ways in which a search for credentials can fail. */
import * as Data from "effect/Data"
import {
  CredentialsError,
  CredentialsInvalid,
  CredentialsRefused,
  CredentialsUnavailable
} from "../../CredentialsError.ts"

/** A source has no credentials: the search goes on with the next one. */
export class Absent extends Data.TaggedError("Absent")<{ readonly why: string }> {}

export const invalid = (source: string, problem: string, field?: string): CredentialsError =>
  new CredentialsError({
    reason: new CredentialsInvalid({
      source,
      problem,
      ...(field === undefined ? {} : { field })
    })
  })

export const refused = (source: string, problem: string, remedy: string): CredentialsError =>
  new CredentialsError({ reason: new CredentialsRefused({ source, problem, remedy }) })

export const unavailable = (source: string, problem: string): CredentialsError =>
  new CredentialsError({ reason: new CredentialsUnavailable({ source, problem }) })

export { CredentialsError }
