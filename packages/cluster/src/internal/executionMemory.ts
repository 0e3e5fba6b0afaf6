/** Executions of a cluster in memory. It reads the journal as `executionRows` reads tables. */
import * as EntityAddress from "effect/cluster/EntityAddress"
import * as EntityId from "effect/cluster/EntityId"
import * as EntityType from "effect/cluster/EntityType"
import type { MemoryDriver, MemoryEntry } from "effect/cluster/MessageStorage"
import type * as Reply from "effect/cluster/Reply"
import * as ShardId from "effect/cluster/ShardId"
import * as Snowflake from "effect/cluster/Snowflake"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import type { Execution } from "./execution.ts"
import type { Executions } from "../Executions.ts"
import * as EntityTypes from "./entityTypes.ts"
import { described, Payload } from "./submitted.ts"

const timeOf = (id: string) => Snowflake.timestamp(Snowflake.Snowflake(id))

/** A suspended execution has a reply, too. */
const isEnd = (reply: Reply.Encoded): boolean =>
  reply._tag === "WithExit" &&
  !(
    reply.exit._tag === "Success" &&
    Predicate.hasProperty(reply.exit.value, "_tag") &&
    reply.exit.value._tag === "Suspended"
  )

const executionOf = ({ envelope, replies }: MemoryEntry): Option.Option<Execution> => {
  if (envelope._tag !== "Request") return Option.none()
  return Option.map(Schema.decodeUnknownOption(Payload)(envelope.payload), (job) => ({
    ...described(envelope.address.entityType, job),
    id: envelope.address.entityId,
    submitted: timeOf(envelope.requestId),
    ended: Option.map(Option.fromUndefinedOr(replies.find(isEnd)), ({ id }) => timeOf(id))
  }))
}

/** The service over the driver of `MessageStorage.layerMemory`. */
export const make = (driver: MemoryDriver["Service"]): Executions["Service"] => {
  const runs = (...types: ReadonlyArray<string>) =>
    Array.from(driver.requests.values()).filter(
      ({ envelope }) =>
        envelope._tag === "Request" &&
        envelope.tag === "run" &&
        types.includes(envelope.address.entityType)
    )
  const all = () =>
    runs(EntityTypes.upload, EntityTypes.batch).flatMap((entry) =>
      Option.toArray(executionOf(entry))
    )
  /** The execution and its ranges or slices. */
  const partsOf = (id: string) => [
    id,
    ...runs(EntityTypes.range, EntityTypes.slice).flatMap(({ envelope }) => {
      if (envelope._tag !== "Request") return []
      const { upload, batch } = envelope.payload as { upload?: string; batch?: string }
      return (upload ?? batch) === id ? [envelope.address.entityId] : []
    })
  ]
  const forget = (id: string) => {
    const types = driver.journal.flatMap(({ address }) =>
      address.entityId === id ? [address.entityType] : []
    )
    return Effect.forEach(new Set(types), (type) =>
      driver.encoded.clearAddress(
        EntityAddress.make({
          entityType: EntityType.make(type),
          entityId: EntityId.make(id),
          shardId: ShardId.make("default", 1)
        })
      )
    )
  }
  return {
    find: (id) =>
      Effect.sync(() => Option.fromUndefinedOr(all().find((execution) => execution.id === id))),
    list: ({ limit, open }) =>
      Effect.sync(() =>
        all()
          .filter(({ ended }) => !open || Option.isNone(ended))
          .toReversed()
          .slice(0, limit)
      ),
    remove: (before) =>
      Effect.gen(function* () {
        const old = all().filter(({ ended }) => Option.exists(ended, (time) => time < before))
        const ids = old.flatMap(({ id }) => partsOf(id))
        yield* Effect.orDie(Effect.forEach(ids, forget, { discard: true }))
        return old.length
      }),
    runners: Effect.succeed(1)
  }
}
