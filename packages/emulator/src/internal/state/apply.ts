/** Carries out a command or refuses it. Every change of the state goes through here. */
import { configureBucket, createBucket, deleteBucket } from "./buckets.ts"
import type { Command, Outcome, State } from "./model.ts"
import { append, describe, put, remove } from "./objects.ts"
import { abort, complete, initiate, removePart, uploadPart } from "./uploads.ts"

export const apply = (state: State, command: Command): Outcome => {
  switch (command._tag) {
    case "CreateBucket":
      return createBucket(state, command)
    case "DeleteBucket":
      return deleteBucket(state, command)
    case "ConfigureBucket":
      return configureBucket(state, command)
    case "Initiate":
      return initiate(state, command)
    case "UploadPart":
      return uploadPart(state, command)
    case "Complete":
      return complete(state, command)
    case "Abort":
      return abort(state, command)
    case "RemovePart":
      return removePart(state, command)
    case "Put":
      return put(state, command)
    case "Append":
      return append(state, command)
    case "Describe":
      return describe(state, command)
    case "Delete":
      return remove(state, command)
  }
}
