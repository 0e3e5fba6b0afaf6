/**
 * Signs with version 4 and node:crypto, which Node, Bun and Deno have. It is
 * synchronous and caches the day's key. node:crypto is looked up at run time, so
 * other runtimes load no module of Node.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type { Credentials } from "../../OssCredentials.ts"
import { Rejected } from "../../OssError.ts"
import type { Connection } from "./endpoint.ts"
import { type Keys, renewalOf, type Signer, withoutKeys } from "./signer.ts"
import * as V4 from "./v4.ts"

/** The part of node:crypto used here. A key of `createSecretKey` is 5 times as fast as bytes. */
export interface HashModule {
  readonly hash: (algorithm: "sha256", text: string, encoding: "hex") => string
  readonly createSecretKey: (bytes: Uint8Array) => object
  readonly createHmac: (
    algorithm: "sha256",
    key: object
  ) => {
    readonly update: (text: string) => {
      digest(): Uint8Array
      digest(encoding: "hex"): string
    }
  }
}

/** Undefined if node:crypto is missing or lacks one of these functions. */
export const hashModule = (): HashModule | undefined => {
  const { process }: { readonly process?: Runtime } = globalThis as object
  const module = process?.getBuiltinModule?.("node:crypto")
  return isHashModule(module) ? module : undefined
}

interface Runtime {
  readonly getBuiltinModule?: (id: string) => unknown
}

const isHashModule = (module: unknown): module is HashModule =>
  typeof module === "object" &&
  module !== null &&
  ["hash", "createSecretKey", "createHmac"].every(
    (name) => typeof Reflect.get(module, name) === "function"
  )

export const make = (connection: Connection, keys: Keys, hashes: HashModule): Signer => {
  const region = V4.regionOf(connection)
  const dayKey = keptKey(hashes, region)
  return {
    sign: (request, time) =>
      Effect.matchEffect(keys.current(time), {
        onFailure: (error) => Effect.fail(withoutKeys(error)),
        onSuccess: (used) =>
          Effect.try({
            try: () => {
              const unsigned = V4.prepare(connection, region, used, request, time)
              const text = V4.textOf(unsigned, hashes.hash("sha256", unsigned.canonical, "hex"))
              const key = dayKey(used, unsigned.date.slice(0, 8))
              const signature = hashes.createHmac("sha256", key).update(text).digest("hex")
              return {
                ...V4.withSignature(unsigned, used, signature),
                ...renewalOf(keys, used)
              }
            },
            catch: (thrown) => new Rejected({ description: `it could not be signed: ${thrown}` })
          })
      })
  }
}

/** Caches the last key. Requests of the same day with the same credentials share it. */
const keptKey = ({ createHmac, createSecretKey }: HashModule, region: string) => {
  let kept: { credentials: Credentials; day: string; key: object } | undefined
  return (credentials: Credentials, day: string): object => {
    if (kept?.credentials === credentials && kept.day === day) return kept.key
    let key = createSecretKey(new TextEncoder().encode(V4.secretOf(credentials)))
    for (const step of V4.derivation(day, region)) {
      key = createSecretKey(createHmac("sha256", key).update(step).digest())
    }
    kept = { credentials, day, key }
    return key
  }
}
