/** Parameters that several commands share. */
import * as Argument from "effect/cli/Argument"
import * as CliError from "effect/cli/CliError"
import * as Flag from "effect/cli/Flag"
import * as Param from "effect/cli/Param"
import * as Primitive from "effect/cli/Primitive"
import * as Effect from "effect/Effect"
import * as Size from "./Size.ts"

/**
 * A path as the user typed it, with completion in shells. Effect's own would
 * make it absolute, even a URL or an empty text.
 */
const path = <Kind extends Param.ParamKind>(kind: Kind, name: string, type: Primitive.PathType) =>
  Param.makeSingle({
    kind,
    name,
    primitiveType: Object.assign(Object.create(Primitive.Path(type)) as typeof Primitive.String, {
      parse: Primitive.String.parse
    })
  })

export const fileFlag = (name: string) =>
  path(Param.flagKind, name, "file").pipe(Flag.withMetavar("FILE"), Flag.optional)

export const directoryFlag = (name: string) =>
  path(Param.flagKind, name, "directory").pipe(Flag.withMetavar("DIR"), Flag.optional)

/** All arguments but the last: the files, at least `min`. `url` must follow. */
const filesOf = (description: string, min: 0 | 1): Argument.Argument<ReadonlyArray<string>> => {
  const all = path(Param.argumentKind, "files", "either").pipe(
    Argument.withMetavar("FILE"),
    Argument.withDescription(description),
    Argument.variadic({ min })
  )
  const parse: typeof all.parse = ({ flags, arguments: given }) => {
    if (given.length === 0) return Effect.fail(new CliError.MissingArgument({ argument: "files" }))
    const isMissing = given.length === 1 && (min === 1 || !given[0]!.startsWith("oss:"))
    return isMissing
      ? Effect.fail(new CliError.MissingArgument({ argument: "url" }))
      : Effect.map(
          all.parse({ flags, arguments: given.slice(0, -1) }),
          ([, files]) => [given.slice(-1), files] as const
        )
  }
  return Object.assign(Object.create(all), { parse })
}

/** Files, at least one. */
export const files = (description: string) => filesOf(description, 1)

/** Files, which may come from flags instead. */
export const optionalFiles = (description: string) => filesOf(description, 0)

/** The URL of an object. */
export const url = Argument.String("url").pipe(
  Argument.withMetavar("oss://BUCKET/KEY"),
  Argument.withDescription(
    "The object. A KEY that is empty or ends in / gets the file's name appended"
  )
)

/** The URL of an existing object. */
export const objectUrl = Argument.String("url").pipe(
  Argument.withMetavar("oss://BUCKET/KEY"),
  Argument.withDescription("The object, by its whole key")
)

/** The URL of a bucket or a prefix. */
export const place = Argument.String("place").pipe(
  Argument.withMetavar("oss://BUCKET/PREFIX"),
  Argument.withDescription("The bucket, and what the keys begin with, if not all are meant")
)

export const partSize = Flag.String("part-size").pipe(
  Flag.withDescription(
    `From 100KiB to 5GiB; ${Size.syntax}. Default: 8MiB; less from 8 to 400 MiB, more above 78 GiB`
  ),
  Flag.withMetavar("SIZE"),
  Flag.optional
)

export const json = Flag.Boolean("json").pipe(
  Flag.withDescription("One JSON value a line on standard output"),
  Flag.withoutNegation,
  Flag.withDefault(false)
)

/** The profile for finding credentials. */
export const profile = Flag.String("profile").pipe(
  Flag.withDescription(
    "Take the keys of this profile in ~/.aliyun/config.json, ~/.alibabacloud/credentials or ossutil's file"
  ),
  Flag.withMetavar("NAME"),
  Flag.optional
)
