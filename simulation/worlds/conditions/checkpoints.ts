/** Checkpoints in the store that no uploader of the world has written. */
import * as Checkpoint from "@effect-oss/core/Checkpoint"
import * as Journal from "../../../packages/node-fs-store/src/internal/journal.ts"
import { hashOf } from "../../../packages/node-fs-store/src/internal/place.ts"
import type { World } from "../world.ts"

const encoder = new TextEncoder()

const headerOf = (
  { server, scheduler }: World,
  given: { readonly key: string; readonly sourceId: string; readonly uploadId: string }
): Checkpoint.Header => ({
  endpoint: server.client.endpoint,
  bucket: server.client.bucket,
  key: given.key,
  sourceId: given.sourceId,
  fingerprint: "another",
  size: 1_000_000,
  partSize: 102_400,
  options: "0",
  createdAt: scheduler.now(),
  uploadId: given.uploadId
})

/** What the paths of a checkpoint's files begin with. */
const placeOf = (directory: string, name: string) =>
  `${directory}/${hashOf(name).slice(0, 2)}/${hashOf(name)}`

const put = (world: World, directory: string, name: string, header: Checkpoint.Header) => {
  const id = world.random.uuid()
  const path = `${placeOf(directory, name)}.99.${id}.journal`
  const origin = { host: "another", boot: "", machine: "", inode: "" }
  const { text } = Journal.begin({ id, origin, checkpointKey: name }, { header, parts: [] })
  world.disk.makeDirectory(path.slice(0, path.lastIndexOf("/")))
  world.disk.put(path, encoder.encode(text), "Renamed")
  return path
}

/** Puts a journal under the name of an uploader's checkpoint that names an upload of another program. */
export const forge = (world: World): void => {
  const { random, uploaders, trace, invariants, server } = world
  const { file, key, sourceId, directory } = random.pick(uploaders)
  // Of another key: a header that fits in all but its upload id can only come from the owner of the store.
  const others = server
    .uploads()
    .filter((upload) => upload.key !== key && invariants.isOthers(upload.uploadId))
  if (others.length === 0 || world.disk.files(directory).length === 0) return
  const victim = random.pick(others)
  const { endpoint, bucket } = server.client
  const name = Checkpoint.keyOf({ endpoint, bucket, key, sourceId })
  const header = headerOf(world, { key: victim.key, sourceId, uploadId: victim.uploadId })
  const path = put(world, directory, name, header)
  trace.tell(() => `${path} is forged, for ${file.path}: it names ${victim.uploadId}`)
  invariants.forged()
}

/** Fills the store with checkpoints of other uploads. */
export const fill = (world: World, directory: string, count: number): void => {
  for (let index = 0; index < count; index++) {
    const sourceId = `file:/elsewhere/${index}`
    const header = headerOf(world, { key: `elsewhere-${index}`, sourceId, uploadId: `E${index}` })
    const path = put(world, directory, Checkpoint.keyOf(header), header)
    world.strangers.add(path)
  }
}
