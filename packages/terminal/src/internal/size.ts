/**
 * The size of a terminal, in characters.
 */
export interface Size {
  readonly columns: number
  readonly rows: number
}

/**
 * The size of a terminal that doesn't tell its own.
 */
export const usualSize: Size = { columns: 80, rows: 24 }
