/** A client, and sources, that tell what moves: for the bars of many uploads. */
import * as Body from "@effect-oss/core/Body"
import { OssClient } from "@effect-oss/core/OssClient"
import type * as Source from "@effect-oss/core/Source"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Board from "../Board.ts"

interface Moving {
  readonly size: number
  /** By part, in bytes: a part that is sent again begins again. */
  readonly sent: Map<number, number>
}

/** What is under way, by key. */
export class Watch {
  readonly #moving = new Map<string, Moving>()

  entries(): ReadonlyArray<Board.Entry> {
    return Array.from(this.#moving, ([key, { size, sent }]) => ({
      key,
      size,
      sent: Array.from(sent.values()).reduce((sum, bytes) => sum + bytes, 0)
    }))
  }

  ended(key: string): void {
    this.#moving.delete(key)
  }

  /** The same source, which says when it is opened. */
  source<E, R>(key: string, source: Source.Source<E, R>): Source.Source<E, R> {
    const { name, open } = source
    const opened = ({ size }: Source.Opened<E> | Source.Sequence<E>) =>
      Effect.sync(() => {
        const bytes = typeof size === "number" ? size : Option.getOrElse(size, () => 0)
        this.#moving.set(key, { size: bytes, sent: new Map() })
      })
    return { name, open: Effect.tap(open, opened) }
  }

  /** The same client, which says what it reads to send. */
  layer<E, R>(client: Layer.Layer<OssClient, E, R>): Layer.Layer<OssClient, E, R> {
    const tapped = <E>(key: string, part: number, body: Body.Body<E>) =>
      Body.tap(body, (piece, offset) =>
        this.#moving.get(key)?.sent.set(part, offset + piece.length)
      )
    const watched = Effect.map(OssClient, (client) =>
      OssClient.of({
        ...client,
        uploadPart: (part) =>
          client.uploadPart({ ...part, body: tapped(part.key, part.number, part.body) }),
        put: (request) => client.put({ ...request, body: tapped(request.key, 1, request.body) })
      })
    )
    return Layer.effect(OssClient, watched).pipe(Layer.provide(client))
  }
}
