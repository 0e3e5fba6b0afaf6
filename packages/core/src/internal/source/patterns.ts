/** Patterns for paths below a directory, as in .gitignore and rclone. */
import * as Glob from "effect/Glob"

/**
 * Yields which of the patterns match a path, whose end is a slash if it is a
 * directory. A pattern without a slash matches at any depth, one with a slash
 * from the root; a slash at its end stands for a directory. Hidden files are
 * files like others.
 */
export const matcher = (
  patterns: ReadonlyArray<string>
): ((path: string) => ReadonlyArray<string>) => {
  const globs = patterns.map((pattern) => ({
    pattern,
    glob: Glob.make(rooted(pattern), { dot: true })
  }))
  return (path) => globs.filter(({ glob }) => Glob.match(glob, path)).map(({ pattern }) => pattern)
}

const rooted = (pattern: string): string =>
  pattern.replace(/\/+$/, "").includes("/") ? pattern.replace(/^\/+/, "") : `**/${pattern}`
