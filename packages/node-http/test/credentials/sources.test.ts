/** Where the chain finds credentials, and in which order. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import { mkdirSync, mkdtempSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { inspect } from "node:util"
import { find, issued } from "./world.ts"

const config = (profile: object, more: ReadonlyArray<object> = []) => ({
  ".aliyun/config.json": JSON.stringify({
    current: "work",
    profiles: [{ name: "work", ...profile }, ...more]
  })
})

const aliyunKeys = config({ mode: "AK", access_key_id: "cli", access_key_secret: "s" })
const sdkKeys = {
  ".alibabacloud/credentials":
    "[default]\ntype = access_key\naccess_key_id = sdk\naccess_key_secret = s\n"
}
const ossutilKeys = { ".ossutilconfig": "[Credentials]\naccessKeyID=util\naccessKeySecret=s\n" }

const ossEnv = { OSS_ACCESS_KEY_ID: "oss", OSS_ACCESS_KEY_SECRET: "s" }
const cloudEnv = {
  ALIBABA_CLOUD_ACCESS_KEY_ID: "cloud",
  ALIBABA_CLOUD_ACCESS_KEY_SECRET: "s",
  ALIBABA_CLOUD_SECURITY_TOKEN: "t"
}

describe("the first of these that is there counts", () => {
  it.effect.each([
    ["OSS's variables", { ...ossEnv, ...cloudEnv }, { ...aliyunKeys, ...ossutilKeys }, "oss"],
    ["Alibaba Cloud's variables", cloudEnv, { ...aliyunKeys, ...ossutilKeys }, "cloud"],
    ["~/.aliyun/config.json", {}, { ...aliyunKeys, ...sdkKeys, ...ossutilKeys }, "cli"],
    ["~/.alibabacloud/credentials", {}, { ...sdkKeys, ...ossutilKeys }, "sdk"],
    ["~/.ossutilconfig", {}, ossutilKeys, "util"]
  ] as const)("%s", ([, env, files, id]) =>
    Effect.gen(function* () {
      assert.strictEqual((yield* find({ env, files }))[0], id)
    })
  )

  it.effect("a file that a variable names is in place of the usual one", () =>
    Effect.gen(function* () {
      const files = { "other.json": aliyunKeys[".aliyun/config.json"], ...ossutilKeys }
      const env = { ALIBABA_CLOUD_CONFIG_FILE: "~/other.json" }
      assert.strictEqual((yield* find({ env, files }))[0], "cli")
    })
  )

  it.effect("a file that a variable names and that isn't there is an error", () =>
    Effect.gen(function* () {
      const env = { ALIBABA_CLOUD_CREDENTIALS_FILE: "~/gone" }
      const { reason } = yield* Effect.flip(find({ env, files: ossutilKeys }))
      assert.strictEqual(reason._tag, "CredentialsInvalid")
      assert.match(reason.message, /\/gone: doesn't exist$/)
    })
  )

  it.effect("a file that is longer than any such file is an error", () =>
    Effect.gen(function* () {
      const files = { ".aliyun/config.json": "\n".repeat(1024 * 1024 + 1), ...ossutilKeys }
      const { reason } = yield* Effect.flip(find({ files }))
      assert.strictEqual(reason._tag, "CredentialsInvalid")
      assert.match(reason.message, /config\.json: is longer than 1 MiB$/)
    })
  )

  it.live("a pipe in a file's place is an error, and nobody waits for its writer", () =>
    Effect.gen(function* () {
      const home = mkdtempSync(join(tmpdir(), "effect-oss-"))
      mkdirSync(join(home, ".aliyun"))
      execFileSync("mkfifo", [join(home, ".aliyun/config.json")])
      const { reason } = yield* Effect.flip(find({ env: { HOME: home } }))
      assert.strictEqual(reason._tag, "CredentialsInvalid")
      assert.match(reason.message, /config\.json: is no regular file$/)
    })
  )

  it.effect("temporary keys have their token", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* find({ env: cloudEnv }), ["cloud", "s", "t", undefined])
    })
  )
})

describe("a profile", () => {
  const profiles = {
    ...config({ mode: "AK", access_key_id: "cli", access_key_secret: "s" }, [
      {
        name: "a",
        mode: "StsToken",
        access_key_id: "cli-a",
        access_key_secret: "s",
        sts_token: "t"
      }
    ]),
    ".alibabacloud/credentials":
      "[b]\n# a comment\ntype=sts\naccess_key_id=sdk-b\naccess_key_secret=s=s\nsecurity_token=t\n",
    ".ossutilconfig":
      "[default]\naccessKeyId=util\n[profile c]\naccess-key-id=util-c\naccess_key_secret=s\n"
  }

  it.effect.each([
    ["a", "cli-a"],
    ["b", "sdk-b"],
    ["c", "util-c"]
  ] as const)("%s is found in the file that has it, before the variables", ([profile, id]) =>
    Effect.gen(function* () {
      assert.strictEqual((yield* find({ env: ossEnv, files: profiles }, { profile }))[0], id)
    })
  )

  it.effect("may be named by ALIBABA_CLOUD_PROFILE, which keys in variables precede", () =>
    Effect.gen(function* () {
      const env = { ALIBABA_CLOUD_PROFILE: "b" }
      assert.strictEqual((yield* find({ env, files: profiles }))[0], "sdk-b")
      assert.strictEqual((yield* find({ env: { ...env, ...ossEnv }, files: profiles }))[0], "oss")
    })
  )

  it.effect("that no file has is told of with all files that were read", () =>
    Effect.gen(function* () {
      const { reason } = yield* Effect.flip(find({ files: profiles }, { profile: "z" }))
      assert.strictEqual(reason._tag, "CredentialsNotFound")
      assert.strictEqual(reason.message.match(/has no profile z/g)?.length, 3)
    })
  )

  it.effect("that is disabled, or has a mode for browsers, is passed over", () =>
    Effect.gen(function* () {
      const files = {
        ...config({ mode: "CloudSSO", access_key_id: "old" }),
        ".alibabacloud/credentials": sdkKeys[".alibabacloud/credentials"] + "enable = false\n",
        ...ossutilKeys
      }
      assert.strictEqual((yield* find({ files }))[0], "util")
    })
  )
})

describe("a mistake", () => {
  it.effect.each([
    [
      "half a pair of variables",
      { env: { ALIBABA_CLOUD_ACCESS_KEY_ID: "id" } },
      /ALIBABA_CLOUD_ACCESS_KEY_SECRET is not set, but ALIBABA_CLOUD_ACCESS_KEY_ID is/
    ],
    [
      "a field that is missing",
      { files: config({ mode: "AK", access_key_id: "id" }) },
      /config\.json, profile work: access_key_secret is missing; mode AK needs it$/
    ],
    [
      "a field of another type",
      { files: config({ mode: "AK", access_key_id: "id", access_key_secret: 1234567 }) },
      /config\.json, profile work: access_key_secret is no text$/
    ],
    [
      "a file that isn't JSON",
      { files: { ".aliyun/config.json": "access_key_secret: 1234567" } },
      /config\.json: is not JSON$/
    ],
    [
      "JSON that has no profiles",
      { files: { ".aliyun/config.json": "{}" } },
      /config\.json: profiles is missing, or not as it has to be$/
    ],
    [
      "profiles in a circle",
      {
        files: config({
          mode: "ChainableRamRoleArn",
          ram_role_arn: "acs:ram::1:role/r",
          source_profile: "work"
        })
      },
      /profile work: leads back to itself|source_profile leads back to itself/
    ],
    [
      "a directory in place of a file",
      { files: { ".ossutilconfig/file": "" } },
      /\.ossutilconfig: is no regular file$/
    ],
    [
      "a pod without a role",
      { env: { ALIBABA_CLOUD_OIDC_TOKEN_FILE: "/token", ALIBABA_CLOUD_OIDC_PROVIDER_ARN: "p" } },
      /ALIBABA_CLOUD_ROLE_ARN is not set/
    ],
    [
      "an OIDC token that is gone",
      {
        env: {
          ALIBABA_CLOUD_OIDC_TOKEN_FILE: "/gone/token",
          ALIBABA_CLOUD_OIDC_PROVIDER_ARN: "p",
          ALIBABA_CLOUD_ROLE_ARN: "r"
        }
      },
      /the OIDC token file \/gone\/token doesn't exist/
    ]
  ] as const)("%s names the place and the field, and shows no value", ([, world, message]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(find({ ...world, answer: () => undefined }))
      assert.strictEqual(error.reason._tag, "CredentialsInvalid")
      assert.match(error.message, message)
      assert.isFalse(error.isRetryable)
      assert.notInclude(inspect(error, { depth: 9, showHidden: true }), "1234567")
    })
  )
})

describe("nothing", () => {
  it.effect("is told of with what was tried, a line each", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(find({}))
      const lines = error.message.split("\n").slice(1)
      assert.deepStrictEqual(
        lines.map((line) => line.replace(/ \S*\/(?=\.\w)/, " ~/")),
        [
          "  - OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET are not set",
          "  - ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET are not set",
          "  - ALIBABA_CLOUD_OIDC_TOKEN_FILE is not set",
          "  - ~/.aliyun/config.json doesn't exist".replace("~/.aliyun/", "~/.aliyun/"),
          "  - ~/.alibabacloud/credentials doesn't exist",
          "  - ~/.ossutilconfig doesn't exist",
          "  - ALIBABA_CLOUD_CREDENTIALS_URI is not set",
          "  - the metadata service at http://100.100.100.200: no response (ENOTFOUND)"
        ]
      )
      assert.isFalse(error.isRetryable)
    })
  )
})

describe("a credentials URI", () => {
  const env = { ALIBABA_CLOUD_CREDENTIALS_URI: "http://127.0.0.1:8080/keys?secret=hidden" }

  it.effect("gives keys that expire", () =>
    Effect.gen(function* () {
      const body = JSON.stringify({ Code: "Success", ...issued("uri") })
      assert.deepStrictEqual(yield* find({ env, answer: () => ({ body }) }), [
        "STS.uri",
        "hidden-uri",
        "hidden-token-uri",
        6 * 3_600_000
      ])
    })
  )

  it.effect.each([
    ["isn't there", undefined, "CredentialsUnavailable"],
    ["fails", { status: 502, body: "<html>" }, "CredentialsUnavailable"],
    ["refuses", { status: 403, body: "" }, "CredentialsRefused"],
    ["has no keys", { body: '{"Code":"NoKeys"}' }, "CredentialsRefused"],
    ["has half a key", { body: '{"AccessKeyId":"hidden"}' }, "CredentialsInvalid"],
    ["is a web page", { body: "<html>hidden" }, "CredentialsUnavailable"]
  ] as const)("that %s is named by its variable, not by its address", ([, answer, tag]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(find({ env, answer: () => answer }))
      assert.strictEqual(error.reason._tag, tag)
      assert.include(error.message, "ALIBABA_CLOUD_CREDENTIALS_URI")
      assert.strictEqual(error.isRetryable, tag === "CredentialsUnavailable")
      assert.notInclude(inspect(error, { depth: 9, showHidden: true }), "hidden")
    })
  )
})
