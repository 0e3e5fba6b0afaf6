/**
 * Finds the mistakes that a compiler finds, for programs without one: options of a
 * request with a wrong name or type. Each message says what to write instead.
 */
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import { InvalidRequest } from "../../UploadError.ts"
import type { SinkRequest, UploadRequest } from "../../UploadRequest.ts"

type Checked = Result.Result<void, InvalidRequest>

/** Checks the names and types of an upload's request. */
export const wellFormed = (request: UploadRequest<unknown, unknown>): Checked =>
  Result.gen(function* () {
    yield* options(request, uploadOptions, "{ key, source }")
    yield* source(request.source)
  })

/** Checks the names and types of a sink's request. */
export const wellFormedSink = (request: SinkRequest): Checked =>
  options(request, sinkOptions, "{ key }")

const options = (request: object, known: ReadonlySet<string>, example: string): Checked =>
  Result.gen(function* () {
    if (!Predicate.isObject(request)) {
      yield* invalid("request", `it is ${kindOf(request)}`, `give an object: ${example}`)
    }
    yield* key(request)
    for (const name of Object.keys(request)) {
      if (!known.has(name)) yield* invalid(name, "there is no such option", rightName(name, known))
    }
    yield* policies(request)
  })

/** Checks the retry policy and budget of a request, or of a whole program. */
export const policies = (given: {
  readonly retry?: unknown
  readonly retryBudget?: unknown
}): Checked => {
  const { retry, retryBudget } = given
  if (retry !== undefined && !Schedule.isSchedule(retry)) {
    const attempts = typeof retry === "number" ? retry + 1 : 5
    return invalid(
      "retry",
      `it is ${kindOf(retry)}, not a policy`,
      `give a Schedule, such as RetryPolicy.backoff({ attempts: ${attempts} }) or RetryPolicy.patient({ for: "10 minutes" })`
    )
  }
  if (retryBudget !== undefined && !Predicate.hasProperty(retryBudget, "spend")) {
    return invalid(
      "retryBudget",
      `it is ${kindOf(retryBudget)}, not a budget`,
      "give RetryPolicy.budgetUnsafe(100), or the result of RetryPolicy.budget"
    )
  }
  return Result.void
}

const key = (request: object): Checked => {
  const { key } = request as { readonly key?: unknown }
  if (typeof key === "string") return Result.void
  const other = ["name", "Key", "objectKey", "objectName", "path"].find((name) => name in request)
  return invalid(
    "key",
    key === undefined ? "it is missing" : `it is ${kindOf(key)}, not text`,
    key === undefined && other !== undefined
      ? `call the option "${other}" key`
      : "give the object's key, such as backups/db.tar"
  )
}

const source = (source: unknown): Checked => {
  if (Predicate.hasProperty(source, "open") && Predicate.hasProperty(source, "name")) {
    return Result.void
  }
  return invalid(
    "source",
    source === undefined ? "it is missing" : `it is ${kindOf(source)}, not a Source`,
    constructorFor(source)
  )
}

/** Says how to make a source of the given value. */
const constructorFor = (given: unknown): string => {
  if (typeof given === "string" && /^https?:/i.test(given)) {
    return `give Source.http(${JSON.stringify(given)})`
  }
  if (typeof given === "string") {
    return `give Source.file(${JSON.stringify(given)}), or Source.bytes for a text's bytes`
  }
  if (given instanceof Uint8Array) return "give Source.bytes(content)"
  if (given instanceof ArrayBuffer) return "give Source.bytes(new Uint8Array(content))"
  if (given instanceof URL) return "give Source.http(url)"
  if (Predicate.hasProperty(given, "arrayBuffer")) return "give Source.blob(blob)"
  if (Predicate.hasProperty(given, "pipe") || Predicate.hasProperty(given, Symbol.asyncIterator)) {
    return "give Source.readable, or Source.stream for a Stream of Effect"
  }
  return 'give a Source, such as Source.file("db.tar")'
}

const kindOf = (value: unknown): string => {
  if (value === null) return "null"
  if (value === undefined) return "undefined"
  if (typeof value !== "object") return `a ${typeof value}`
  const { name = "Object" } = value.constructor ?? {}
  return /^[AEIOU]/.test(name) ? `an ${name}` : `a ${name}`
}

const invalid = (
  field: string,
  problem: string,
  remedy: string
): Result.Result<never, InvalidRequest> =>
  Result.fail(new InvalidRequest({ field, problem, remedy }))

/** The names that other libraries have for these options. */
const otherNames: Readonly<Record<string, string>> = {
  name: "key",
  file: "source",
  body: "source",
  path: "source",
  parallel: "concurrency",
  queuesize: "concurrency",
  retries: "retry",
  retrymax: "retry",
  timeout: "stallTimeout",
  contenttype: "mime",
  metadata: "meta",
  checkpoint: "from"
}

const rightName = (name: string, known: ReadonlySet<string>): string => {
  const plain = name.toLowerCase().replaceAll(/[^a-z]/g, "")
  if (plain === "progress")
    return "leave it out; Upload.events and Upload.progress tell how far it has come"
  const right =
    Array.from(known).find((option) => option.toLowerCase() === plain) ?? otherNames[plain]
  return right === undefined
    ? `leave it out; the options are ${Array.from(known).join(", ")}`
    : `call it ${right}`
}

/** The type ensures that it lists every option. */
const optionsOfUpload: Readonly<Record<Exclude<keyof UploadRequest, "name">, true>> = {
  key: true,
  source: true,
  partSize: true,
  concurrency: true,
  retry: true,
  retryBudget: true,
  stallTimeout: true,
  skipIdentical: true,
  onSourceChanged: true,
  onDamagedCheckpoint: true,
  discover: true,
  from: true,
  mime: true,
  headers: true,
  meta: true,
  storageClass: true,
  acl: true,
  tagging: true,
  serverSideEncryption: true,
  forbidOverwrite: true,
  callback: true
}
const {
  source: _source,
  onSourceChanged: _onSourceChanged,
  onDamagedCheckpoint: _onDamagedCheckpoint,
  discover: _discover,
  from: _from,
  skipIdentical: _skipIdentical,
  ...shared
} = optionsOfUpload
const optionsOfSink: Readonly<Record<Exclude<keyof SinkRequest, "name">, true>> = {
  ...shared,
  onFailure: true
}

const uploadOptions: ReadonlySet<string> = new Set(Object.keys(optionsOfUpload))
const sinkOptions: ReadonlySet<string> = new Set(Object.keys(optionsOfSink))
