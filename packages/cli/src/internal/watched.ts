/** A client, and sources, that tell what moves: for the bars of many uploads. */
import * as Body from "@effect-oss/core/Body"
import { OssClient } from "@effect-oss/core/OssClient"
import { OssError } from "@effect-oss/core/OssError"
import type * as Source from "@effect-oss/core/Source"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Board from "@effect-oss/terminal/Board"

interface Moving {
  readonly size: number
  /** What OSS has from earlier runs, by part, in bytes. */
  readonly resumed: Map<number, number>
  /** By part, in bytes: a part that is sent again begins again. */
  readonly sent: Map<number, number>
}

const sum = (parts: ReadonlyMap<number, number>) =>
  Array.from(parts.values()).reduce((all, bytes) => all + bytes, 0)

/** What is under way, by key. */
export class Watch {
  readonly #moving = new Map<string, Moving>()
  #trouble: string | undefined

  entries(): ReadonlyArray<Board.Entry> {
    return Array.from(this.#moving, ([key, { size, resumed, sent }]) => ({
      key,
      size,
      resumed: sum(resumed),
      sent: sum(sent)
    }))
  }

  /** What the last request failed with, if it did and is sent again. */
  trouble(): string | undefined {
    return this.#trouble
  }

  ended(key: string): void {
    this.#moving.delete(key)
  }

  /** The same source, which says when it is opened. */
  source<E, R>(key: string, source: Source.Source<E, R>): Source.Source<E, R> {
    const { name, open } = source
    const opened = ({ size }: Source.Opened<E>) =>
      Effect.sync(() => {
        this.#moving.set(key, { size: size ?? 0, resumed: new Map(), sent: new Map() })
      })
    return { name, open: Effect.tap(open, opened) }
  }

  /** The same client, which says what it reads to send, and what it hears. */
  layer<E, R>(client: Layer.Layer<OssClient, E, R>): Layer.Layer<OssClient, E, R> {
    return Layer.effect(
      OssClient,
      Effect.map(OssClient, (client) => this.#watched(client))
    ).pipe(Layer.provide(client))
  }

  #watched(client: OssClient["Service"]): OssClient["Service"] {
    return OssClient.of({
      ...client,
      initiate: (key, options) =>
        this.#heard(client.initiate(key, options), () => this.#afresh(key)),
      listParts: (request) =>
        this.#heard(client.listParts(request), ({ parts }) => {
          for (const { number, size } of parts)
            this.#moving.get(request.key)?.resumed.set(number, size)
        }),
      uploadPart: (part) =>
        this.#heard(
          client.uploadPart({ ...part, body: this.#tapped(part.key, part.number, part.body) })
        ),
      put: (request) =>
        this.#heard(client.put({ ...request, body: this.#tapped(request.key, 1, request.body) })),
      complete: (request) => this.#heard(client.complete(request)),
      listUploads: (request) => this.#heard(client.listUploads(request)),
      head: (key) => this.#heard(client.head(key))
    })
  }

  /** A part that is sent is none that was there. */
  #tapped<E>(key: string, part: number, body: Body.Body<E>): Body.Body<E> {
    return Body.tap(body, (piece, offset) => {
      const moving = this.#moving.get(key)
      moving?.resumed.delete(part)
      moving?.sent.set(part, offset + piece.length)
    })
  }

  #afresh(key: string): void {
    this.#moving.get(key)?.resumed.clear()
  }

  #heard<A, E>(request: Effect.Effect<A, E>, onSuccess: (answer: A) => void = () => {}) {
    return request.pipe(
      Effect.tap((answer) =>
        Effect.sync(() => {
          this.#trouble = undefined
          onSuccess(answer)
        })
      ),
      Effect.tapError((error) =>
        Effect.sync(() => {
          if (error instanceof OssError && error.isRetryable) this.#trouble = error.problem
        })
      )
    )
  }
}
