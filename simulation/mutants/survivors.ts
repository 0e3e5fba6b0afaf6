/** Seeded bugs that nothing finds, each with the reason why nothing has to. */
export const reasons: ReadonlyArray<{
  readonly file: string
  readonly find: string
  readonly reason: string
}> = []
