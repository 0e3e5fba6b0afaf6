/**
 * Bytes that look random and are the same each time.
 */
export const contentOf = (size: number, seed = 1): Uint8Array => {
  let state = seed
  return Uint8Array.from({ length: size }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
    return state >>> 24
  })
}
