/** Patterns for paths below a directory, as in .gitignore and rclone. */
import * as Glob from "effect/Glob"

/**
 * Returns the patterns that match a path. The path of a directory ends with a
 * slash. A pattern without a slash matches at any depth, and one with a slash
 * matches from the root. A slash at the end of a pattern stands for a directory.
 * Hidden files match like other files.
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
