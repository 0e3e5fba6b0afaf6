/** Names, encodes, reads and removes the entries of checkpoints in a KeyValueStore. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as KeyValueStore from "effect/persistence/KeyValueStore"
import * as Schema from "effect/Schema"
import * as Checkpoint from "../../Checkpoint.ts"
import { CheckpointError, Damaged, Unavailable, UnknownVersion } from "../../CheckpointStore.ts"
import * as Crc64 from "../../Crc64.ts"
import type { UploadedPart } from "../../Part.ts"
import { maxParts } from "../parts.ts"

export interface Shelf {
  readonly entries: KeyValueStore.KeyValueStore
  readonly prefix: string
  /** The names of the open checkpoints. */
  readonly held: Set<string>
}

export const version = 1

/** The entry under a checkpoint's name. */
export const Root = Schema.Union([
  Schema.Struct({
    version: Schema.Literal(version),
    checkpointKey: Schema.String,
    generation: Schema.NonEmptyString,
    header: Checkpoint.Header,
    receipt: Schema.optionalKey(Checkpoint.Receipt)
  }),
  Schema.Struct({ version: Schema.Literal(version), removed: Schema.Literal(true) })
])
export type Root = typeof Root.Type

/** A part. Records are sorted by `order`. */
const Record = Schema.Struct({ order: Schema.Finite, part: Checkpoint.PartRecord })

export const encodeRoot = Schema.encodeSync(Schema.fromJsonString(Root))
const decodeRoot = Schema.decodeUnknownEffect(Schema.fromJsonString(Root))
const decodeVersion = Schema.decodeUnknownOption(
  Schema.fromJsonString(Schema.Struct({ version: Schema.Finite }))
)
export const encodeRecord = Schema.encodeSync(Schema.fromJsonString(Record))
const decodeRecord = Schema.decodeUnknownOption(Schema.fromJsonString(Record))

/** The maximum length of an entry in characters. This store writes no longer ones. */
const limits = { root: 2 ** 18, record: 2 ** 16 }

/** The CRC64 of a text as 16 hexadecimal digits. */
const sumOf = (text: string): string =>
  Crc64.of(new TextEncoder().encode(text)).toString(16).padStart(16, "0")

export const seal = (json: string): string => `${sumOf(json)} ${json}`

const unseal = (
  text: string,
  limit: number
): { readonly json: string; readonly isSound: boolean } => {
  if (text.length > limit) return { json: "", isSound: false }
  const json = text.slice(sumOf("").length + 1)
  return { json, isSound: text === seal(json) }
}

/** If two keys have the same hash, `open` of the second fails with `Damaged`. */
export const hashOf = (text: string): string => sumOf(JSON.stringify(text))

export const hashLength = 2 * sumOf("").length

export const nameOf = ({ prefix }: Shelf, checkpointKey: string) =>
  `${prefix}${hashOf(Checkpoint.objectOfKey(checkpointKey))}${hashOf(checkpointKey)}`

export const partName = (name: string, generation: string, number: number | "") =>
  `${name}/${generation}/${number}`

export const rootOf = Effect.fnUntraced(function* (shelf: Shelf, name: string) {
  const text = yield* available(name, shelf.entries.get(name))
  if (text === undefined) return Option.none()
  const { json, isSound } = unseal(text, limits.root)
  const written = decodeVersion(json)
  if (Option.isSome(written) && written.value.version > version) {
    const reason = new UnknownVersion({ version: String(written.value.version) })
    return yield* new CheckpointError({ location: name, reason })
  }
  if (!isSound) return yield* damaged(name, "this entry does not match its check sum")
  return yield* decodeRoot(json).pipe(
    Effect.asSome,
    Effect.catchTag("SchemaError", () => damaged(name, "this entry can't be read"))
  )
})

/** Skips unreadable records. Their parts count as not recorded. */
export const recordsOf = (shelf: Shelf, names: ReadonlyArray<string>) =>
  Effect.map(
    // An upload has at most `maxParts` parts, so the store wrote no more entries.
    Effect.forEach(names.slice(0, maxParts), (name) => available(name, shelf.entries.get(name)), {
      concurrency: 16
    }),
    (texts) =>
      texts
        .flatMap((text) => {
          const { json, isSound } = unseal(text ?? "", limits.record)
          return isSound ? Option.toArray(decodeRecord(json)) : []
        })
        .sort((a, b) => a.order - b.order)
        .map(({ part }): UploadedPart => part)
  )

export const partNames = (shelf: Shelf, name: string) => namesUnder(shelf, `${name}/`)

export const namesUnder = (shelf: Shelf, prefix: string) =>
  Effect.map(available(prefix, shelf.entries.keys), (keys) =>
    keys.filter((key) => key.startsWith(prefix))
  )

export const removeAll = (shelf: Shelf, names: Iterable<string>) =>
  Effect.forEach(names, (name) => available(name, shelf.entries.remove(name)), { discard: true })

export const available = <A>(
  location: string,
  access: Effect.Effect<A, KeyValueStore.KeyValueStoreError>
): Effect.Effect<A, CheckpointError> =>
  Effect.mapError(access, ({ message, cause }) => {
    const description = cause instanceof Error ? `${message}: ${cause.message}` : message
    return new CheckpointError({ location, reason: new Unavailable({ description }) })
  })

export const damaged = (location: string, description: string) =>
  new CheckpointError({ location, reason: new Damaged({ description }) })
