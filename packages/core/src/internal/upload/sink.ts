/**
 * A stream that can be run only once, and so can't be resumed.
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type * as Checkpoint from "../../Checkpoint.ts"
import type { CheckpointLog } from "../../CheckpointStore.ts"
import { layerMemory } from "../../CheckpointStore.ts"
import * as Part from "../../Part.ts"
import type { Sequential } from "../../Source.ts"
import type { SinkRequest } from "../../UploadRequest.ts"
import * as OwnErrors from "../source/ownErrors.ts"
import { readOnce } from "./sequential.ts"
import { open } from "./open.ts"
import { seen } from "./observability.ts"
import type { UploadSession } from "./resume.ts"
import * as Store from "./complete.ts"
import * as UploadId from "./uploadId.ts"

/** Makes an object of a stream that can be run only once. */
export const drain = (request: SinkRequest, bytes: Stream.Stream<Uint8Array>) => {
  const { key, onFailure = "abort" } = request
  const name = `a stream to ${key}`
  // A sink is run by its stream's fiber: what the stream fails with comes by here.
  const ownErrors = OwnErrors.make<never>(name)
  const source: Sequential = {
    _tag: "Sequential",
    id: name,
    size: null,
    fingerprint: "",
    bytes: Stream.mapError(bytes, ownErrors.hide)
  }
  return Effect.gen(function* () {
    const opened = yield* open(
      { ...request, source: { name, open: Effect.succeed(source) } },
      ownErrors,
      () => Effect.void,
      undefined
    )
    const { session, leftBehind } = observed({ ...opened, source })
    const wanted = Option.getOrElse(session.partSize, () => Part.defaultPartSize)
    const stored = yield* readOnce(session, wanted, Option.none(), () => undefined).pipe(
      Effect.onError(() => (onFailure === "abort" ? leftBehind : Effect.void))
    )
    return yield* Store.finished(session, stored)
  }).pipe(
    Effect.catchTag("Diverged", Effect.die),
    Effect.mapError(ownErrors.restore),
    Effect.scoped,
    Effect.provide(layerMemory, { local: true }),
    seen("Upload.sink", key)
  )
}

/** Keeps an eye on what there is to be given up in the end. */
const observed = <S>(session: UploadSession<S>) => {
  let header = Option.none<Checkpoint.Header>()
  const begin: CheckpointLog["begin"] = (next) =>
    Effect.tap(session.log.begin(next), () =>
      Effect.sync(() => {
        header = Option.some(next)
      })
    )
  const remove = Effect.tap(session.log.remove, () =>
    Effect.sync(() => {
      header = Option.none()
    })
  )
  const giveUp = Effect.suspend(() =>
    Option.match(header, {
      onNone: () => Effect.void,
      onSome: (header) => UploadId.giveUp(session, header)
    })
  ).pipe(
    Effect.timeout(session.stallTimeout),
    Effect.catch((error) => Effect.logWarning("a failed upload stays on the server", error))
  )
  return {
    session: { ...session, log: { ...session.log, begin, remove } },
    // On a fiber of its own: this one may be interrupted already, so that no time limit would hold.
    leftBehind: Effect.flatMap(Effect.forkDetach(giveUp), Fiber.await)
  }
}
