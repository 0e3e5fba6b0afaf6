/** Puts the conditions of a world in place, and ends those that a calm world has not. */
import type { Host } from "../../kernel/host.ts"
import type { Line } from "../../kernel/process.ts"
import * as Random from "../../kernel/random.ts"
import { show } from "../../kernel/text.ts"
import type { World } from "../world.ts"
import * as Checkpoints from "./checkpoints.ts"
import { noMiddlebox } from "./endpoint.ts"
import type { Condition } from "./index.ts"
import * as OtherProgram from "./otherProgram.ts"
import type { Trouble } from "./overHttp.ts"

/** A slow line stays slow in a calm world. */
export const linesOf = (
  conditions: ReadonlySet<Condition>,
  seed: number,
  hosts: ReadonlyArray<Host>
): ReadonlyMap<Host, Line> => {
  const random = Random.make(seed ^ 0x51ed270b)
  if (!conditions.has("slowLines")) return new Map()
  return new Map(
    hosts.map((host) => [host, { bytesPerMilli: random.pick([16, 32, 64, 200]), busyUntil: 0 }])
  )
}

export const begin = (world: World): void => {
  const { conditions, random, after, files, uploaders, trace } = world
  const often = (least: number, most: number, task: () => void) => {
    for (let left = random.int(1, 3); left > 0; left--) after(random.int(least, most), task)
  }
  const [uploader] = uploaders
  if (conditions.has("otherPrograms") && uploader !== undefined) {
    OtherProgram.start(world, uploader.key)
  }
  if (conditions.has("forgedCheckpoints")) OtherProgram.start(world, "elsewhere")
  if (conditions.has("forgedCheckpoints")) often(2_000, 40_000, () => Checkpoints.forge(world))
  if (conditions.has("manyCheckpoints")) {
    for (const directory of world.directories) {
      world.disk.putDirectory(directory)
      Checkpoints.fill(world, directory, random.int(100, 600))
    }
  }
  if (conditions.has("lyingSizes")) {
    const { path, versions } = random.pick(files)
    const size = versions.at(-1)?.bytes.length ?? 0
    const lie = random.pick([0, Math.max(0, size - 1), size >> 1, size + 1, 2 * size])
    trace.tell(() => `${path} has ${size} bytes, and the file system says ${lie}`)
    world.disk.lies.set(path, lie)
  }
  if (conditions.has("outages")) {
    if (world.isCalm()) after(random.int(0, 10_000), () => goAway(world))
    else often(0, 30_000, () => goAway(world))
  }
  if (conditions.has("contradictingHeads")) often(0, 20_000, () => lie(world))
  if (conditions.has("endlessLists")) often(0, 20_000, () => repeat(world))
  if (conditions.has("middleboxes")) often(0, 30_000, () => interpose(world))
  if (conditions.has("http")) {
    often(0, 30_000, () => trouble(world))
    often(0, 30_000, () => leadNowhere(world))
  }
}

export const end = ({ endpoint }: World): void => {
  endpoint.awayUntil = 0
  endpoint.middlebox = noMiddlebox
  endpoint.liesAboutObjects = false
  endpoint.repeatsMarkers = false
  endpoint.lists = undefined
  endpoint.troubles.left = 0
}

const goAway = ({ endpoint, random, scheduler, trace, isCalm }: World) => {
  // In a quiet world, shorter than the patience of the library: two minutes.
  const millis = random.pick([3_000, 10_000, 60_000, 100_000, ...(isCalm() ? [] : [300_000])])
  trace.tell(() => `the network is away for ${millis} ms`)
  endpoint.awayUntil = Math.max(endpoint.awayUntil, scheduler.now() + millis)
}

const lie = ({ endpoint, random, after, trace }: World) => {
  trace.tell(() => "HEAD begins to contradict what is stored")
  endpoint.liesAboutObjects = true
  after(random.int(1_000, 60_000), () => {
    endpoint.liesAboutObjects = false
  })
}

const repeat = (world: World) => {
  const { endpoint, random, after, trace, conditions } = world
  if (conditions.has("http")) return leadNowhere(world)
  trace.tell(() => "lists begin to repeat their markers")
  endpoint.repeatsMarkers = true
  after(random.int(1_000, 60_000), () => {
    endpoint.repeatsMarkers = false
  })
}

/** Those that a client may not try again end a run, and no quiet world has them. */
const statuses = [302, 400, 403, 404, 502] as const
const finalStatuses = [407, 413] as const

/** A proxy or a captive portal answers instead of OSS; with 502, perhaps after OSS has carried the request out. */
const interpose = ({ endpoint, random, trace, isCalm }: World) => {
  const status = random.pick([...statuses, ...(isCalm() ? [] : finalStatuses)])
  const isLate = status === 502 && random.chance(0.5)
  const left = random.pick([1, 3, 10])
  trace.tell(() => `a middlebox answers ${status} in HTML, ${left} times`)
  endpoint.middlebox = { status, isLate, left }
}

/** Lists lead nowhere, for a while; without a calm end only in worlds that are not quiet. */
const leadNowhere = ({ endpoint, random, after, trace }: World) => {
  const lists = random.pick(["repeat", "beyond", "endless"] as const)
  trace.tell(() => `lists over HTTP begin to lead nowhere: ${lists}`)
  endpoint.lists = lists
  after(random.int(1_000, 60_000), () => {
    endpoint.lists = undefined
  })
}

const trouble = ({ endpoint, random, trace, isCalm }: World) => {
  const drawn = random.pick<Trouble>([
    { kind: "early" },
    { kind: "cutRequest", bytes: random.int(0, 100_000) },
    { kind: "cutHead" },
    { kind: "cutBody" },
    { kind: "short" },
    {
      kind: "huge",
      status: random.pick([500, 502, 503, ...(isCalm() ? [] : [200, 400, 403, 404])]),
      carriedOut: random.chance(0.5)
    }
  ])
  const left = random.pick([1, 3, 10])
  trace.tell(() => `trouble over HTTP is due, ${left} times: ${show(drawn)}`)
  endpoint.troubles.trouble = drawn
  endpoint.troubles.left = left
}
