/**
 * Sends a source that can be read at any offset. Its parts are sent in parallel,
 * straight from the source.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Body } from "../../Body.ts"
import * as Part from "../../Part.ts"
import type * as Source from "../../Source.ts"
import { unchanged } from "../source/unchanged.ts"
import type { Reader } from "./reader.ts"
import type { Upload } from "./resume.ts"
import { sendAndRecord } from "./sendPart.ts"
import type { Session } from "./session.ts"
import { lent } from "./session.ts"
import * as Slice from "../source/slice.ts"
import * as Decisions from "./decisions.ts"

/** Reads the source only while it is sent. */
export const reader = (session: Session<Source.RandomAccess>, partSize: number): Reader => ({
  whole:
    session.source.size < partSize
      ? Option.some(guarded(session.source, session.sourceName))
      : Option.none(),
  send: (upload) => send(session, upload),
  unchanged: unchanged(session.source, session.sourceName)
})

const send = Effect.fnUntraced(function* (
  session: Session<Source.RandomAccess>,
  { uploadId, partSize, recorded, listed }: Upload
) {
  const { slots, source } = session
  const plan = yield* Effect.fromResult(Part.plan(source.size, partSize))
  const tasks = Decisions.reconcile(plan, recorded, listed)
  const missing = tasks.filter((task) => task._tag !== "Done")
  const sendOne = (task: (typeof missing)[number]) => {
    const body = Slice.slice(source, task.part.offset, task.part.size)
    return slots.withSlot((lend) => sendAndRecord(lent(session, lend), uploadId, task, body))
  }
  // A part that waits for a retry lends its slot, so as many parts again may wait.
  // Parts with a block of memory keep it while they wait, so no more are started.
  const spare = source.block === undefined ? slots.most : 0
  const sent = (yield* Effect.forEach(missing, sendOne, {
    concurrency: slots.most + spare
  })).values()
  return tasks.map((task) => (task._tag === "Done" ? task.part : sent.next().value!))
})

/**
 * The whole source as a body. The read of its last piece fails if the source has
 * changed: then the request is cut off, and OSS stores nothing.
 */
export const guarded = (source: Source.RandomAccess, name: string): Body<Source.SourceError> => {
  const { size, read } = Slice.slice(source, 0, source.size)
  return {
    size,
    read: (target, offset) =>
      offset + target.length < size
        ? read(target, offset)
        : Effect.andThen(read(target, offset), unchanged(source, name))
  }
}
