/** Gives parts in flight a second to arrive. After an interruption, no further part begins. */
import { OssClient } from "@effect-oss/core/OssClient"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

/** How long to wait, and how often to look, in milliseconds. */
const grace = 1_000
const look = 50

export class Draining {
  #isAsked = false
  #onTheirWay = 0

  /** Holds back new transfers, and waits a short time for those in flight. */
  readonly begin: Effect.Effect<void> = Effect.gen({ self: this }, function* () {
    this.#isAsked = true
    let idle = 0
    // Parts that have arrived are recorded a moment later.
    for (let waited = 0; waited < grace && idle < 2; waited += look) {
      yield* Effect.sleep(look)
      idle = this.#onTheirWay === 0 ? idle + 1 : 0
    }
  })

  #held<A, E>(request: Effect.Effect<A, E>, isNew: boolean): Effect.Effect<A, E> {
    return Effect.suspend(() => {
      if (isNew && this.#isAsked) return Effect.never
      this.#onTheirWay++
      return Effect.ensuring(
        request,
        Effect.sync(() => this.#onTheirWay--)
      )
    })
  }

  /** A client that holds transfers back after an interruption. */
  layer<E, R>(client: Layer.Layer<OssClient, E, R>): Layer.Layer<OssClient, E, R> {
    const watched = Effect.map(OssClient, (client) =>
      OssClient.of({
        ...client,
        initiate: (key, options) => this.#held(client.initiate(key, options), true),
        uploadPart: (part) => this.#held(client.uploadPart(part), true),
        put: (request) => this.#held(client.put(request), true),
        complete: (request) => this.#held(client.complete(request), false)
      })
    )
    return Layer.effect(OssClient, watched).pipe(Layer.provide(client))
  }
}

/** The drain of this command. */
export const Current = Context.Reference<Draining>("@effect-oss/cli/Draining", {
  defaultValue: () => new Draining()
})
