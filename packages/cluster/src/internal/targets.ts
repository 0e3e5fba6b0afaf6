/**
 * Limits the objects that a runner stores. Anyone who can write to the database
 * can submit an upload to any bucket and key, and the runner sends it with its
 * own keys.
 */
import type { OssClient } from "@effect-oss/core/OssClient"
import { InvalidRequest } from "@effect-oss/core/UploadError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { Buckets } from "../Buckets.ts"

/** A bucket and key prefix that a runner may store objects in. */
export interface Target {
  readonly bucket: string
  /** The prefix of the keys; empty for the whole bucket. */
  readonly prefix: string
}

/** Provides clients for objects that the runner may store. Refuses others before any request. */
export class Targets extends Context.Service<
  Targets,
  {
    readonly client: (object: {
      readonly bucket: string
      readonly key: string
    }) => Effect.Effect<OssClient["Service"], InvalidRequest, Scope.Scope>
  }
>()("@effect-oss/cluster/Targets") {}

/** Without targets, every object is allowed. */
export const layer = (
  targets: ReadonlyArray<Target> | undefined
): Layer.Layer<Targets, never, Buckets> =>
  Layer.effect(
    Targets,
    Effect.map(Buckets, (buckets) => ({
      client: ({ bucket, key }) => {
        const isKnown =
          targets === undefined ||
          targets.some((target) => target.bucket === bucket && key.startsWith(target.prefix))
        return isKnown ? buckets.client(bucket) : refused(bucket, key)
      }
    }))
  )

const refused = (bucket: string, key: string) =>
  Effect.fail(
    new InvalidRequest({
      field: "key",
      problem: `oss://${bucket}/${key} is not below a target of the runner`,
      remedy: "start the runners with a target that holds it (--target), or submit to another key"
    })
  )
