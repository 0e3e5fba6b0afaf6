import type { Patches } from "../mutant.ts"

export const fileStore: Patches = {
  folder: "packages/node-fs-store/src",
  tests: ["packages/node-fs-store/test"],
  named: {
    "FsCheckpointStore.ts": ["packages/node-fs-store/test/FsCheckpointStore"],
    "internal/writer.ts": [
      "packages/node-fs-store/test/FsCheckpointStore",
      "packages/node-fs-store/test/failures"
    ],
    "internal/log.ts": [
      "packages/node-fs-store/test/FsCheckpointStore",
      "packages/node-fs-store/test/failures"
    ],
    "internal/lease.ts": [
      "packages/node-fs-store/test/internal/lease",
      "packages/node-fs-store/test/internal/fence",
      "packages/node-fs-store/test/internal/clocks"
    ],
    "internal/claim.ts": [
      "packages/node-fs-store/test/internal/lease",
      "packages/node-fs-store/test/internal/fence"
    ],
    "internal/holder.ts": [
      "packages/node-fs-store/test/internal/lease",
      "packages/node-fs-store/test/planted"
    ],
    "internal/journal.ts": [
      "packages/node-fs-store/test/internal/journal",
      "packages/node-fs-store/test/planted"
    ],
    "internal/place.ts": [
      "packages/node-fs-store/test/planted",
      "packages/node-fs-store/test/fileSystems"
    ],
    "internal/process.ts": [
      "packages/node-fs-store/test/internal/lease",
      "packages/node-fs-store/test/fileSystems"
    ]
  },
  bugs: [
    [
      "internal/writer.ts",
      "    yield* file.sync\n",
      "",
      "a new journal is renamed into place before its bytes are on the disk"
    ],
    [
      "internal/writer.ts",
      "    yield* lease.check\n",
      "",
      "a holder that was taken for dead puts its journal in place"
    ],
    [
      "internal/writer.ts",
      "    yield* syncDirectory(place.directory)\n",
      "",
      "a journal's name is not durable when begin returns"
    ],
    [
      "internal/writer.ts",
      "Effect.andThen(file.writeAll(encoder.encode(text)), file.sync)",
      "file.writeAll(encoder.encode(text))",
      "a part counts as durable before it is synced"
    ],
    [
      "internal/writer.ts",
      "Effect.andThen(Scope.close(scope, Exit.void), Effect.ignore(discard(temporary)))",
      "Scope.close(scope, Exit.void)",
      "a journal that could not be written leaves its temporary file"
    ],
    [
      "internal/log.ts",
      "Effect.andThen(writer.append(text), lease.check)",
      "writer.append(text)",
      "an append is reported as done though the lease was lost"
    ],
    [
      "internal/log.ts",
      "Effect.onError(Effect.andThen(writer.append(text), lease.check), () => close)",
      "Effect.andThen(writer.append(text), lease.check)",
      "after a failed write the same file is written on"
    ],
    [
      "internal/log.ts",
      "Journal.extend(writer.seal, parts.length, added)",
      "Journal.extend(writer.seal, parts.length + 1, added)",
      "a record is numbered one too high"
    ],
    [
      "internal/log.ts",
      "    parts.push(...added)\n",
      "",
      "the second record has the first one's number"
    ],
    [
      "internal/log.ts",
      "return yield* replace(header, [...parts, ...added])",
      "return yield* replace(header, [...added])",
      "a journal that is written anew after a failure loses the parts before"
    ],
    [
      "internal/log.ts",
      "        waiting = undefined\n        return steps.append",
      "        return steps.append",
      "a batch of parts is never closed: parts that join it later are not written"
    ],
    [
      "internal/log.ts",
      "if (lease.contested) yield* exclusively(steps.carryOver)",
      "",
      "a lease that was taken over keeps the journal that the old holder still writes"
    ],
    [
      "internal/log.ts",
      "      yield* lease.check\n      yield* close",
      "      yield* close",
      "a holder that lost the lease removes the checkpoint of the new one"
    ],
    ["internal/log.ts", "    yield* discard(target)\n", "", "a removed checkpoint stays"],
    [
      "internal/log.ts",
      "    yield* syncDirectory(place.directory)\n",
      "",
      "a removed checkpoint comes back after a loss of power"
    ],
    [
      "internal/log.ts",
      "    yield* Effect.ignore(removeOlder)\n",
      "",
      "older generations of a journal stay"
    ],
    [
      "internal/log.ts",
      "Effect.catch((error) => Effect.andThen(lease.check, Effect.fail(error)))",
      "Effect.catch((error) => Effect.fail(error))",
      "a write that fails because the lease is lost says something else"
    ],
    [
      "internal/journal.ts",
      "  return `${hex(crcOf(json) ^ seal)} ${json}\\n`",
      "  return `${hex(crcOf(json))} ${json}\\n`",
      "records are not bound to their journal"
    ],
    [
      "internal/journal.ts",
      "lineOf(seal, { n: durable + index + 1, durable, part })",
      "lineOf(seal, { n: durable + index + 1, durable: durable + index + 1, part })",
      "a torn batch counts as damage"
    ],
    [
      "internal/journal.ts",
      "record.durable > good",
      "record.durable >= good",
      "a torn tail counts as damage"
    ],
    [
      "internal/journal.ts",
      "if (good === lines - 1 && record?.n === lines) {",
      "if (record?.n === lines) {",
      "parts behind a damaged record are believed"
    ],
    [
      "internal/journal.ts",
      "      return Result.fail(damaged(`record ${good + 1} is damaged, and more were written behind it`))",
      "      return Result.succeed({ parts, receipt })",
      "a journal that was damaged in its middle is taken for torn"
    ],
    [
      "internal/journal.ts",
      "known.version === version ? notOurs",
      "true ? notOurs",
      "a newer format is called damaged"
    ],
    [
      "internal/journal.ts",
      "  return startsWith(line, seal)\n    ? Result",
      "  return line.length > 0\n    ? Result",
      "a header is believed whatever its check sum"
    ],
    [
      "internal/journal.ts",
      "if (++lines > maxRecords) {",
      "if (++lines > Infinity) {",
      "a file of newlines takes for ever"
    ],
    [
      "internal/journal.ts",
      "receipt = Option.fromUndefinedOr(record.receipt)",
      "receipt = Option.none()",
      "a finished upload is begun again"
    ],
    [
      "internal/claim.ts",
      'if (fate === "Alive" || (fate === "Unknown" && !isGivenUp(held.value))) {',
      'if (fate === "Alive") {',
      "a lease is taken from a host that can't be seen at once"
    ],
    [
      "internal/claim.ts",
      'if (fate === "Alive" || (fate === "Unknown" && !isGivenUp(held.value))) {',
      'if (fate === "Alive" || fate === "Unknown") {',
      "a lease of a host that is gone is never free"
    ],
    [
      "internal/claim.ts",
      'done ? Option.some(contested || fate === "Unknown") : Option.none()',
      "done ? Option.some(contested) : Option.none()",
      "a lease that was taken over on suspicion keeps the old journal"
    ],
    [
      "internal/claim.ts",
      "if (Option.isNone(now) || now.value.text !== held.text) return false",
      "if (Option.isNone(now)) return false",
      "two take over one lease, one after the other"
    ],
    [
      "internal/claim.ts",
      "    () => Effect.ignore(discard(claim))\n",
      "    () => Effect.void\n",
      "claims stay"
    ],
    [
      "internal/claim.ts",
      "  const steps = sync(candidate).pipe(\n    Effect.andThen(touch(candidate, text)),",
      "  const steps = touch(candidate, text).pipe(",
      "a loss of power leaves a lease that can't be read"
    ],
    [
      "internal/claim.ts",
      "Effect.ensuring(Effect.ignore(discard(candidate)))",
      "Effect.ensuring(Effect.void)",
      "candidates of a lease stay"
    ],
    [
      "internal/claim.ts",
      '    Effect.catchReason("PlatformError", "AlreadyExists", () => Effect.succeed(false))\n  )\n\n',
      '    Effect.catchReason("PlatformError", "AlreadyExists", () => Effect.succeed(true))\n  )\n\n',
      "two create one lease"
    ],
    [
      "internal/lease.ts",
      "if (Option.exists(held, (held) => held.text === text)) return",
      "if (Option.isSome(held)) return",
      "another holder's lease passes for one's own"
    ],
    [
      "internal/lease.ts",
      "() => Effect.andThen(check(claimant), discard(lease))",
      "() => discard(lease)",
      "the lease of the next holder is removed"
    ],
    [
      "internal/lease.ts",
      "() => Effect.andThen(check(claimant), discard(lease))",
      "() => check(claimant)",
      "a lease stays when the upload has ended"
    ],
    [
      "internal/lease.ts",
      "yield* Effect.forkScoped(Effect.repeat(renew(claimant), Schedule.spaced(Holder.renewal)))",
      "",
      "a lease is never renewed"
    ],
    [
      "internal/lease.ts",
      '=== "Alive"\n',
      '!== "Alive"\n',
      "a checkpoint that is held counts as litter"
    ],
    [
      "internal/holder.ts",
      'return Math.abs(age) <= limit ? "Alive" : "Unknown"',
      'return age <= limit ? "Alive" : "Unknown"',
      "a clock that was set back gives a lease eternal life"
    ],
    [
      "internal/holder.ts",
      'if (fate === "Dead") return fate',
      'if (fate === "Dead") return "Unknown"',
      "the checkpoint of a process that is surely dead is not free at once"
    ],
    [
      "internal/holder.ts",
      "one.text === other.text && one.seen === other.seen",
      "one.text === other.text",
      "a holder that renews its lease is taken for silent"
    ],
    [
      "internal/process.ts",
      'if (!exists(pid)) return "Dead"',
      'if (!exists(pid)) return "Unknown"',
      "the checkpoint of a killed process is not free at once"
    ],
    [
      "internal/process.ts",
      'if (isOver(now.value) || now.value.started !== started) return "Dead"',
      'if (isOver(now.value)) return "Dead"',
      "a process id that is used again keeps a lease"
    ],
    [
      "internal/process.ts",
      'return Effect.succeed(process.alone && self.alone ? "Dead" : "Unknown")',
      'return Effect.succeed("Dead")',
      "on a shared disk, the lease of another host is free"
    ],
    [
      "internal/place.ts",
      ".sort((a, b) => a.generation - b.generation)",
      ".sort((a, b) => b.generation - a.generation)",
      "the oldest journal counts"
    ],
    [
      "internal/place.ts",
      "name.startsWith(`${place.hash}.${token}.`) || name === beacon",
      "name === beacon",
      "a claim on one's own lease is cleared away"
    ],
    [
      "internal/place.ts",
      "yield* Effect.ignore(sync(root.path.dirname(directory)))",
      "",
      "a directory that was just made is lost with the power"
    ],
    [
      "internal/place.ts",
      "    yield* syncDirectory(parent)\n",
      "",
      "a new directory is lost with the power"
    ],
    [
      "internal/place.ts",
      "export const fileMode = 0o600",
      "export const fileMode = 0o644",
      "others may read checkpoints"
    ],
    [
      "FsCheckpointStore.ts",
      "newest.generation + 1",
      "newest.generation",
      "a new holder writes a journal of the same generation"
    ],
    [
      "FsCheckpointStore.ts",
      "yield* failed(Effect.andThen(Place.sync(newest.path), Place.syncDirectory(directory)))",
      "",
      "a journal that was read is not durable"
    ],
    [
      "FsCheckpointStore.ts",
      "  yield* failed(Effect.forEach(litter, Place.discard, { discard: true }))\n",
      "",
      "an old holder's temporary journal may be renamed after the new one has looked"
    ],
    [
      "FsCheckpointStore.ts",
      "if (Process.isSameMachine(origin, self) && origin.inode === inode) return Option.some(checkpoint)",
      "return Option.some(checkpoint)",
      "a journal that was copied to another machine is trusted"
    ],
    [
      "FsCheckpointStore.ts",
      'onUnreadable === "discard" && error.isUnreadable',
      'onUnreadable === "discard"',
      "a checkpoint that is not ours to read is discarded"
    ]
  ]
}
