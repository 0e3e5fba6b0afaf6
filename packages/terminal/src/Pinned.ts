/**
 * Lines that stay at the bottom of a terminal, below everything else that is
 * written. A `Pinned` knows which lines are drawn and returns what to write; it
 * writes nothing itself. Use it if something besides a `Screen` writes to the
 * same terminal, such as a logger on standard error.
 *
 * @since 0.1.0
 */
import { erased } from "./internal/erased.ts"

/**
 * The lines at the bottom of one terminal.
 *
 * @category models
 * @since 0.1.0
 */
export class Pinned {
  #lines: ReadonlyArray<string> = []

  /** The control codes that erase the lines on a terminal of `columns`, so that other text can take their place; empty if none are drawn. */
  erase(columns: number): string {
    return this.#lines.length === 0 ? "" : erased(this.#lines, columns)
  }

  /** The lines, to be written after `erase` and other text. */
  draw(): string {
    return this.#lines.join("\n")
  }

  /** `text`, which ends with a line end, above the lines: one write, so that nothing flickers. */
  above(text: string, columns: number): string {
    return `${this.erase(columns)}${text}${this.draw()}`
  }

  /** Replaces the lines; returns an empty string if they are the same. */
  pin(lines: ReadonlyArray<string>, columns: number): string {
    if (lines.join("\n") === this.draw()) return ""
    const erase = this.erase(columns)
    this.#lines = lines
    return `${erase}${this.draw()}`
  }
}
