/** Steps of the cases about buckets that keep versions. */
import type { Asked, Step } from "../Case.ts"

/** A bucket of the case alone: what keeps versions once can't be told to forget them. */
export const bucket = "{bucket}-versions"

export const make: Step = { method: "PUT", bucket, key: null }

export const configure = (status: string): Step => ({
  method: "PUT",
  bucket,
  key: null,
  query: { versioning: "" },
  body: `<VersioningConfiguration><Status>${status}</Status></VersioningConfiguration>`
})

export const enabled = [make, configure("Enabled")]
export const suspended = [make, configure("Suspended")]

/** Stores a body, and keeps its version under a name. */
export const put = (body: string, as: string): Step => ({
  method: "PUT",
  bucket,
  body,
  save: { [as]: "header:x-oss-version-id" }
})

export const remove: Step = {
  method: "DELETE",
  bucket,
  save: { marker: "header:x-oss-version-id" }
}
export const of = (version: string): Pick<Asked, "bucket" | "query"> => ({
  bucket,
  query: { versionId: `{${version}}` }
})
export const list = (query: Record<string, string> = {}): Asked => ({
  method: "GET",
  bucket,
  key: null,
  query: { versions: "", ...query }
})
/** An id that a bucket which keeps versions gives. */
export const ownId = /^(?!null$).+/

export const two = [...enabled, put("first", "one"), put("second", "two")]
