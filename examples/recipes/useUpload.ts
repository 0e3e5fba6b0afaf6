/** A hook of React: uploads a file as long as the component is there, and tells how far it is. */
import { type CheckpointStore, type OssClient, Source, Upload } from "@effect-oss/core"
import { Network } from "@effect-oss/web"
import { Cause, Effect, Exit, type ManagedRuntime, Stream } from "effect"
import { useEffect, useState } from "react"

type Runtime = ManagedRuntime.ManagedRuntime<
  OssClient.OssClient | CheckpointStore.CheckpointStore,
  unknown
>

export const useUpload = (runtime: Runtime, file: File | undefined, key: string) => {
  const [progress, setProgress] = useState({ percent: 0, isDone: false, error: "" })
  useEffect(() => {
    setProgress({ percent: 0, isDone: false, error: "" })
    if (file === undefined) return
    const events = Network.carryOn(Upload.events({ key, source: Source.blob(file) })).pipe(
      Stream.tap((event) =>
        Effect.sync(() => {
          if (event._tag !== "Progress" || event.total === null) return
          const percent = Math.floor((100 * event.durable) / event.total)
          setProgress({ percent, isDone: false, error: "" })
        })
      )
    )
    return runtime.runCallback(Upload.result(events), {
      onExit: Exit.match({
        onSuccess: () => setProgress({ percent: 100, isDone: true, error: "" }),
        onFailure: (cause) =>
          setProgress((last) => ({
            ...last,
            error: Cause.hasInterrupts(cause) ? "" : Cause.pretty(cause)
          }))
      })
    })
  }, [runtime, file, key])
  return progress
}
