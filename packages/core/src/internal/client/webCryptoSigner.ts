/**
 * Signs with version 4 and the runtime's Web Crypto, in browsers, workers and
 * servers. It caches the day's key.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Hex from "effect/encoding/Hex"
import type { Credentials } from "../../OssCredentials.ts"
import { Rejected } from "../../OssError.ts"
import type { Connection } from "./endpoint.ts"
import { type Keys, renewalOf, type Signer, withoutKeys } from "./signer.ts"
import * as V4 from "./v4.ts"

/** Derived from `globalThis`: the runtimes' types have different names. */
type SubtleCrypto = typeof globalThis.crypto.subtle
type CryptoKey = Awaited<ReturnType<SubtleCrypto["importKey"]>>

/** Undefined in pages that were loaded neither over HTTPS nor from `localhost`. */
export const subtle = (): SubtleCrypto | undefined => {
  const { crypto }: { readonly crypto?: Partial<typeof globalThis.crypto> } = globalThis
  return crypto?.subtle
}

export const make = (connection: Connection, keys: Keys, crypto: SubtleCrypto): Signer => {
  const region = V4.regionOf(connection)
  const dayKey = keptKey(crypto, region)
  return {
    sign: Effect.fnUntraced(function* (request, time) {
      const used = yield* Effect.mapError(keys.current(time), withoutKeys)
      const unsigned = V4.prepare(connection, region, used, request, time)
      const key = yield* dayKey(used, unsigned.date.slice(0, 8))
      const digest = yield* attempt(() => crypto.digest("SHA-256", utf8(unsigned.canonical)))
      const text = V4.textOf(unsigned, hex(digest))
      const signature = hex(yield* attempt(() => crypto.sign("HMAC", key, utf8(text))))
      return { ...V4.withSignature(unsigned, used, signature), ...renewalOf(keys, used) }
    })
  }
}

/** Caches the last key. Requests of the same day with the same credentials share it. */
const keptKey = (crypto: SubtleCrypto, region: string) => {
  let kept: { credentials: Credentials; day: string; key: CryptoKey } | undefined
  const imported = (raw: Uint8Array<ArrayBuffer> | ArrayBuffer) =>
    attempt(() => crypto.importKey("raw", raw, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]))
  return Effect.fnUntraced(function* (credentials: Credentials, day: string) {
    if (kept?.credentials === credentials && kept.day === day) return kept.key
    let key = yield* imported(utf8(V4.secretOf(credentials)))
    for (const step of V4.derivation(day, region)) {
      key = yield* imported(yield* attempt(() => crypto.sign("HMAC", key, utf8(step))))
    }
    kept = { credentials, day, key }
    return key
  })
}

const attempt = <A>(operation: () => Promise<A>): Effect.Effect<A, Rejected> =>
  Effect.tryPromise({
    try: operation,
    catch: (thrown) => new Rejected({ description: `it could not be signed: ${thrown}` })
  })

const utf8 = (text: string) => new TextEncoder().encode(text)

const hex = (bytes: ArrayBuffer) => Hex.encode(new Uint8Array(bytes))
