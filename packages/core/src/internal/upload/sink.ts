/**
 * A stream that can be run only once, and so can't be resumed.
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { layerMemory } from "../../CheckpointStore.ts"
import type { Sequential } from "../../Source.ts"
import type { SinkRequest } from "../../UploadRequest.ts"
import * as OwnErrors from "../source/ownErrors.ts"
import { abort } from "./initiate.ts"
import { finished, seen } from "./observability.ts"
import { open } from "./open.ts"
import { pass } from "./run.ts"
import type { Session } from "./session.ts"
import { wellFormedSink } from "./wellFormed.ts"

/** Stores a stream that can be run only once as an object. */
export const sink = (request: SinkRequest, bytes: Stream.Stream<Uint8Array>) => {
  const { key, onFailure = "abort" } = request
  const name = `a stream to ${key}`
  // The stream's fiber runs the sink, so the stream's errors pass through here.
  const ownErrors = OwnErrors.make<never>(name)
  const source: Sequential = {
    _tag: "Sequential",
    id: name,
    size: null,
    fingerprint: "",
    bytes: Stream.mapError(bytes, ownErrors.hide)
  }
  return Effect.gen(function* () {
    yield* Effect.fromResult(wellFormedSink(request))
    const { onFailure: _, ...given } = request
    const once = { ...given, source: { name, open: Effect.succeed(source) } }
    const session = yield* open(once, ownErrors, () => Effect.void, undefined)
    const stored = yield* pass(session, Option.none()).pipe(
      Effect.onError(() => (onFailure === "abort" ? leaveNothing(session) : Effect.void))
    )
    return yield* finished(session, stored)
  }).pipe(
    Effect.catchTag("Lost", ({ error }) => Effect.fail(error)),
    Effect.mapError(ownErrors.restore),
    Effect.scoped,
    Effect.provide(layerMemory, { local: true }),
    seen("Upload.sink", key)
  )
}

/** Aborts the upload, if it has begun. Waits for `stallTimeout` at most. */
const leaveNothing = (session: Session) =>
  session.store.list.pipe(
    Stream.runForEach(({ header }) => abort(session, header.uploadId)),
    Effect.timeout(session.stallTimeout),
    Effect.catch((error) => Effect.logWarning("A failed upload stays on the server.", error)),
    // On its own fiber: this one may be interrupted already, and then no timeout works.
    Effect.forkDetach,
    Effect.flatMap(Fiber.await)
  )
