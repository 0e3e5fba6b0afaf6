import type { Asked } from "../Case.ts"

/** A DeleteMultipleObjects with this document. */
export const deleteMany = (document: string): Asked => ({
  method: "POST",
  key: null,
  query: { delete: "" },
  headers: { "content-md5": "{md5}" },
  body: document
})
