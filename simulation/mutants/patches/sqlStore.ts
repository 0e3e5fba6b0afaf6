import type { Patches } from "../mutant.ts"

export const sqlStore: Patches = {
  folder: "packages/sql-store/src/internal",
  tests: ["packages/sql-store/test"],
  worlds: "none",
  named: {
    "lease.ts": ["packages/sql-store/test/NodeSqlite"],
    "log.ts": ["packages/sql-store/test/NodeSqlite"],
    "rows.ts": ["packages/sql-store/test/answers", "packages/sql-store/test/foreign"]
  },
  bugs: [
    [
      "log.ts",
      'WHERE id = ${id} AND token = ${token} AND ${sql.in("generation", known)} RETURNING id`',
      'WHERE id = ${id} AND ${sql.in("generation", known)} RETURNING id`',
      "a holder that lost the lease replaces the checkpoint"
    ],
    [
      "log.ts",
      "WHERE id = ${id} AND token = ${token} AND generation = ${generation}\n",
      "WHERE id = ${id} AND generation = ${generation}\n",
      "a holder that lost the lease records parts"
    ],
    [
      "log.ts",
      "if (written.length === rows.size) return",
      "return",
      "a record that was refused counts as durable"
    ],
    ["log.ts", "    generations = [next]\n", "", "a second header is refused"],
    [
      "log.ts",
      "WHERE p.n <= excluded.n",
      "WHERE p.n > excluded.n",
      "a part that is sent again keeps its old record"
    ],
    [
      "log.ts",
      "rows.length === 0 ? Effect.succeed(false) : Effect.as(clear, true)",
      "Effect.succeed(rows.length > 0)",
      "parts of an earlier upload stay under a new header"
    ],
    ["log.ts", "      waiting = undefined\n", "", "a batch of parts is never closed"],
    [
      "log.ts",
      'hasHeader ? add(part) : Effect.die(new Error("append without a checkpoint"))',
      "add(part)",
      "a part without a checkpoint is accepted"
    ],
    [
      "lease.ts",
      "c.token IS NULL OR c.token = excluded.token OR c.expires_at <= ${now}",
      "c.token IS NULL OR c.token = excluded.token",
      "the lease of a dead process is never free"
    ],
    [
      "lease.ts",
      "c.token IS NULL OR c.token = excluded.token OR c.expires_at <= ${now}",
      "true",
      "two hold one checkpoint"
    ],
    [
      "lease.ts",
      "WHERE id = ${id} AND token = ${token} RETURNING id`",
      "WHERE id = ${id} RETURNING id`",
      "a lease that was lost is renewed"
    ],
    [
      "lease.ts",
      "WHERE id = ${id} AND token = ${token} AND header IS NULL`",
      "WHERE id = ${id} AND token = ${token}`",
      "letting go of a checkpoint removes it"
    ],
    [
      "lease.ts",
      "if (now - since >= Duration.toNanosUnsafe(terms.expiry)) yield* renew",
      "",
      "a lease that expired while the process slept is not looked at again"
    ],
    [
      "lease.ts",
      "if (!(yield* extend(database, claim))) return yield* lost",
      "yield* extend(database, claim)",
      "a lost lease goes unnoticed"
    ],
    ["rows.ts", "row.format === format", "true", "a newer format is read as if it were known"],
    [
      "rows.ts",
      "crc64: String(crc64), n }",
      "crc64: String(Number(crc64)), n }",
      "CRC64s lose their last digits"
    ]
  ]
}
