/**
 * A sign of life between containers of one machine, whose process ids can't be
 * compared: a socket in the directory. The kernel finds it there from each
 * container, and closes it with its process, however that ends: then nobody
 * listens, and what is left of it refuses.
 *
 * That holds for one kernel only: for others, and once it is deleted, a socket
 * says nothing.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { createConnection, createServer } from "node:net"

/** What is known of a process. */
export type Fate = "Alive" | "Dead" | "Unknown"

/** unix(7): a socket's path has at most so many bytes. */
const maxLength = 107

/** Shows that this process lives, until the scope closes; where there can be no socket, it doesn't. */
export const light = (path: string): Effect.Effect<void, never, Scope.Scope> =>
  Buffer.byteLength(path) > maxLength
    ? Effect.void
    : Effect.asVoid(Effect.acquireRelease(listen(path), (close) => close))

/** Yields how to end it, which removes the socket too. It does not keep the process. */
const listen = (path: string) =>
  Effect.callback<Effect.Effect<void>>((resume) => {
    const server = createServer((connection) => connection.destroy())
    const close = Effect.callback<void>((done) => void server.close(() => done(Effect.void)))
    server.on("error", () => resume(Effect.succeed(Effect.void)))
    // `exclusive`: of a cluster of Node's, each process by itself.
    server.listen({ path, exclusive: true }, () => {
      server.unref()
      resume(Effect.succeed(close))
    })
  })

/** Sees whether the process that has shown itself there still lives. */
export const look = (path: string): Effect.Effect<Fate> =>
  Effect.callback((resume) => {
    const connection = createConnection({ path })
    const close = () => void connection.destroy()
    connection.on("connect", () => {
      close()
      resume(Effect.succeed("Alive"))
    })
    connection.on("error", (error) => {
      const isRefused = "code" in error && error.code === "ECONNREFUSED"
      resume(Effect.succeed(isRefused ? "Dead" : "Unknown"))
    })
    return Effect.sync(close)
  })
