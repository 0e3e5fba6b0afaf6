/**
 * How OSS stores an object: its type, its metadata, and who may read it.
 *
 * @since 0.1.0
 */

/**
 * How OSS stores an object. A value that HTTP can't carry, such as one with a
 * line break, fails with reason `Rejected` before anything is sent.
 *
 * **Details**
 *
 * Each option is sent only with the requests where OSS reads it: ACL and callback
 * with Complete and Put, `forbidOverwrite` with Initiate, Complete and Put, and
 * the others with Initiate and Put.
 *
 * @category models
 * @since 0.1.0
 */
export interface ObjectOptions {
  /** The `Content-Type`, such as `image/png`. Default: the source's own type if it has one, as a `File` does; else the type of the key's extension, except in browsers; else `application/octet-stream`. */
  readonly mime?: string | undefined
  /** Other standard headers: `Cache-Control`, `Content-Disposition`, `Content-Encoding`, `Expires`, or `x-oss-*`. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** User metadata. Each entry becomes a header `x-oss-meta-<name>`. */
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
  /** Tags, by name. OSS allows at most 10. */
  readonly tagging?: Readonly<Record<string, string>> | undefined
  /** How OSS encrypts the object. `keyId` names a key of KMS. Default: the bucket's setting. */
  readonly serverSideEncryption?:
    | { readonly algorithm: "AES256" | "KMS" | "SM4"; readonly keyId?: string | undefined }
    | undefined
  /** True: fail with reason `AlreadyExists` if the object exists. Default: false, which replaces it. */
  readonly forbidOverwrite?: boolean | undefined
  /** A request that OSS sends to your server when the object is stored. */
  readonly callback?: Callback | undefined
}

/** A request that OSS sends to your server when the object is stored. */
interface Callback {
  /** The URL that OSS posts to, or several separated by `;`. Unescaped: the client escapes it. */
  readonly url: string
  /** The body of the request. It may use OSS's variables, such as `${object}`. */
  readonly body: string
  /** The `Host` header of the request. Default: the host of `url`. */
  readonly host?: string | undefined
  /** True: OSS sends the host name in the TLS handshake (SNI) if `url` is HTTPS. Default: false. */
  readonly callbackSNI?: boolean | undefined
  /** The `Content-Type` of the request. Default: `application/x-www-form-urlencoded`. */
  readonly contentType?: "application/x-www-form-urlencoded" | "application/json" | undefined
  /** Variables of your own. `body` refers to each as `${x:<name>}`. */
  readonly variables?: Readonly<Record<string, string>> | undefined
}
