import type { UploadError } from "@effect-oss/core/Upload"
import type { UploadResult } from "@effect-oss/core/UploadEvent"
import * as Option from "effect/Option"
import { bytesOf } from "../../kernel/server.ts"
import { isDropped } from "../conditions/overHttp.ts"
import { isOthers, type History } from "./history.ts"
import type { Invariant, Party } from "./invariant.ts"

export const make = ({ trace, server }: History): Invariant => {
  const check = (key: string, parties: ReadonlyArray<Party>) => {
    const here = parties.filter((party) => party.key === key)
    const object = server.object(key)
    const isExcused = (end: UploadResult | UploadError) => "_tag" in end || isDropped(end)
    if (here.some(({ end }) => Option.exists(end, isExcused))) return
    if (object === undefined) return trace.violated(`there is no object ${key}`)
    const version = here
      .flatMap(({ file }) => file.versions)
      .find(({ crc64 }) => crc64 === object.crc64)
    if (version === undefined && isOthers(object.headers)) return
    if (version === undefined) return trace.violated(`the object ${key} is nobody's file`)
    if (Buffer.compare(bytesOf(object), version.bytes) !== 0) {
      trace.violated(`the object ${key} has other bytes than its CRC64 says`)
    }
  }
  return {
    promise:
      "The object that is stored last is one version of one file, byte by byte, or another program's.",
    atTheEnd: (parties) => {
      for (const { key } of parties) check(key, parties)
    }
  }
}
