/**
 * The size of a terminal, in characters.
 */
export interface Size {
  readonly columns: number
  readonly rows: number
}

/**
 * The assumed size of a terminal that doesn't report its own.
 */
export const usualSize: Size = { columns: 80, rows: 24 }
