/** What the compiler says of a display: events stay what they are, and only a terminal is added to what they need. */
import type { OssClient, CheckpointStore, UploadEvent } from "@effect-oss/core"
import { Source, Upload } from "@effect-oss/core"
import { Display, Screen } from "@effect-oss/terminal"
import { Context, Effect, Scope, Stream, Terminal } from "effect"
import { expectTypeOf } from "vitest"

class Broken {
  readonly _tag = "Broken"
}
class Database extends Context.Service<Database, { readonly rows: number }>()(
  "typetest/Database"
) {}

declare const dump: Stream.Stream<Uint8Array, Broken, Database>
const stream = { key: "k", source: Source.stream("dump", dump) }

expectTypeOf(Upload.events(stream).pipe(Display.show())).toEqualTypeOf<
  Stream.Stream<
    UploadEvent.UploadEvent,
    Upload.UploadError | Broken,
    OssClient.OssClient | CheckpointStore.CheckpointStore | Database | Terminal.Terminal
  >
>()
expectTypeOf(Display.make).returns.toEqualTypeOf<
  Effect.Effect<(event: UploadEvent.UploadEvent) => Effect.Effect<void>, never, Scope.Scope>
>()
expectTypeOf(Screen.standardOutput).toEqualTypeOf<
  Effect.Effect<Screen.Screen, never, Terminal.Terminal>
>()
