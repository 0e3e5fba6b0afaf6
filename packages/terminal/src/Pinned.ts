/**
 * Lines that stay at the bottom of a terminal, below all other text. A `Pinned`
 * knows the drawn lines and returns the text to write; it writes nothing
 * itself. Use it if something besides a `Screen` writes to the same terminal,
 * such as a logger on standard error.
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

  /** Returns the control codes that erase the lines on a terminal with `columns` columns, so that other text can take their place. Empty if no lines are drawn. */
  erase(columns: number): string {
    return this.#lines.length === 0 ? "" : erased(this.#lines, columns)
  }

  /** Returns the lines. Write them after `erase` and other text. */
  draw(): string {
    return this.#lines.join("\n")
  }

  /** Returns `text`, which must end with a line end, above the lines. One write prevents flicker. */
  above(text: string, columns: number): string {
    return `${this.erase(columns)}${text}${this.draw()}`
  }

  /** Replaces the lines and returns the text to write; empty if the lines are the same. */
  pin(lines: ReadonlyArray<string>, columns: number): string {
    if (lines.join("\n") === this.draw()) return ""
    const erase = this.erase(columns)
    this.#lines = lines
    return `${erase}${this.draw()}`
  }
}
