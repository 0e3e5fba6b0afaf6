/**
 * Shows that a process lives to processes in other containers of the same
 * machine, whose process ids can't be compared. The sign is a socket in the
 * directory. The kernel finds it from each container, and closes it when its
 * process ends, however it ends. After that, a connection is refused.
 *
 * This works within one kernel only. To another kernel, and once its file is
 * deleted, a socket says nothing.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { createConnection, createServer } from "node:net"

/** What is known of a process. */
export type Fate = "Alive" | "Dead" | "Unknown"

/** The longest path of a socket in bytes, by unix(7). */
const maxLength = 107

/**
 * Shows that this process lives, until the scope closes. Does nothing if the
 * path is too long or no socket can be made.
 */
export const light = (path: string): Effect.Effect<void, never, Scope.Scope> =>
  Buffer.byteLength(path) > maxLength
    ? Effect.void
    : Effect.asVoid(Effect.acquireRelease(listen(path), (close) => close))

/**
 * Listens on the socket, and returns an effect that closes and removes it. The
 * socket does not keep the process running.
 */
const listen = (path: string) =>
  Effect.callback<Effect.Effect<void>>((resume) => {
    const server = createServer((connection) => connection.destroy())
    const close = Effect.callback<void>((done) => void server.close(() => done(Effect.void)))
    server.on("error", () => resume(Effect.succeed(Effect.void)))
    // With `exclusive`, each worker of `node:cluster` has its own socket.
    server.listen({ path, exclusive: true }, () => {
      server.unref()
      resume(Effect.succeed(close))
    })
  })

/** Finds out whether the process that made the socket still lives. */
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
