/**
 * How an object is to be stored: its type, its metadata, who may read it.
 *
 * @since 0.1.0
 */

/**
 * How an object is to be stored. Each goes only on the requests where OSS reads
 * it: most on Initiate and Put, ACL and callback on Complete and Put,
 * `forbidOverwrite` on all three. What HTTP can't carry, such as a line break
 * in a value, fails with reason `Rejected` before anything is sent.
 *
 * @category models
 * @since 0.1.0
 */
export interface ObjectOptions {
  /** The `Content-Type`. Without it: the type that the source knows, as a `File` does; or what the key's extension stands for, except in browsers; or `application/octet-stream`. */
  readonly mime?: string | undefined
  /** Further standard headers: `Cache-Control`, `Content-Disposition`, `Content-Encoding`, `Expires`, or `x-oss-*`. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** User metadata: each becomes `x-oss-meta-<name>`. */
  readonly meta?: Readonly<Record<string, string>> | undefined
  /** The storage class, which decides price and retrieval time. Default: the bucket's. */
  readonly storageClass?:
    | "Standard"
    | "IA"
    | "Archive"
    | "ColdArchive"
    | "DeepColdArchive"
    | undefined
  /** Who may read and write the object. Default: `default`, the bucket's own ACL. */
  readonly acl?: "default" | "private" | "public-read" | "public-read-write" | undefined
  /** Tags by their names: OSS allows at most 10. */
  readonly tagging?: Readonly<Record<string, string>> | undefined
  /** How OSS encrypts the object at rest; `keyId` names a key of KMS. Default: as the bucket is set. */
  readonly serverSideEncryption?:
    | { readonly algorithm: "AES256" | "KMS" | "SM4"; readonly keyId?: string | undefined }
    | undefined
  /** True: fail with reason `AlreadyExists` rather than replace an object. Default: replace. */
  readonly forbidOverwrite?: boolean | undefined
  /** What OSS posts to a server of yours once the object is stored. */
  readonly callback?: Callback | undefined
}

/** A request that OSS makes once the object is stored. */
interface Callback {
  /** Several are separated by semicolons. Characters that a URL can't have are escaped. */
  readonly url: string
  readonly body: string
  readonly host?: string | undefined
  /** True: OSS names the host in the TLS handshake with an HTTPS `url`. Default: it doesn't. */
  readonly callbackSNI?: boolean | undefined
  readonly contentType?: "application/x-www-form-urlencoded" | "application/json" | undefined
  /** Each becomes a variable `x:<name>` for `body`. */
  readonly variables?: Readonly<Record<string, string>> | undefined
}
