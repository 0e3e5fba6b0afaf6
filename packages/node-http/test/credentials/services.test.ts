/** Credentials that services and programs give: the metadata service, STS, external programs. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { inspect } from "node:util"
import { signatureOf } from "../../src/internal/credentials/sts.ts"
import { type Answerer, type Asked, find, issued } from "./world.ts"

const sts = "https://sts.test"
const metadata = "http://metadata.test"
const arn = "acs:ram::1:role/uploader"

const granted = (name: string) => ({ body: JSON.stringify({ Credentials: issued(name) }) })
const refusal = (Code: string, Message: string, status = 400) => ({
  status,
  body: JSON.stringify({ Code, Message })
})

/** An instance with the role `uploads`, that wants tokens. */
const instance: Answerer = ({ method, url, headers }) => {
  const path = url.slice(metadata.length)
  if (path === "/latest/api/token")
    return method === "PUT" ? { body: "v2" } : { status: 405, body: "" }
  if (headers["x-aliyun-ecs-metadata-token"] !== "v2") return { status: 403, body: "" }
  if (path === "/latest/meta-data/ram/security-credentials/") return { body: "uploads" }
  return path === "/latest/meta-data/ram/security-credentials/uploads"
    ? { body: JSON.stringify({ Code: "Success", ...issued("ecs") }) }
    : { status: 404, body: "" }
}

describe("the metadata service", () => {
  it.effect("is asked with a token, for the role that the instance has", () =>
    Effect.gen(function* () {
      const asked: Array<Asked> = []
      const found = yield* find({ answer: instance }, { metadata }, asked)
      assert.deepStrictEqual(found, ["STS.ecs", "hidden-ecs", "hidden-token-ecs", 6 * 3_600_000])
      assert.strictEqual(asked.length, 3)
      assert.strictEqual(asked[0]?.headers["x-aliyun-ecs-metadata-token-ttl-seconds"], "21600")
    })
  )

  it.effect("is asked for the role that ALIBABA_CLOUD_ECS_METADATA names", () =>
    Effect.gen(function* () {
      const env = { ALIBABA_CLOUD_ECS_METADATA: "uploads" }
      const asked: Array<Asked> = []
      yield* find({ env, answer: instance }, { metadata }, asked)
      assert.strictEqual(asked.length, 2)
      const other = { env: { ALIBABA_CLOUD_ECS_METADATA: "other" }, answer: instance }
      const { reason } = yield* Effect.flip(find(other, { metadata }))
      assert.strictEqual(reason._tag, "CredentialsRefused")
      assert.include(reason.message, "doesn't have the RAM role other")
    })
  )

  it.effect.each([
    ["three times", 3, "STS.ecs"],
    ["at last in vain", 4, "CredentialsNotFound"]
  ] as const)("in trouble is asked again: %s", ([, troubles, end]) =>
    Effect.gen(function* () {
      let left: number = troubles
      const asked: Array<Asked> = []
      const answer: Answerer = (request) =>
        request.method === "GET" && left-- > 0 ? { status: 429, body: "" } : instance(request)
      const search = yield* find({ answer }, { metadata }, asked).pipe(
        Effect.match({ onSuccess: ([id]) => id, onFailure: ({ reason }) => reason._tag }),
        Effect.forkChild
      )
      // One for a token, and the first of those in trouble.
      for (const [before, wait] of [
        [2, 200],
        [3, 400],
        [4, 800]
      ] as const) {
        while (asked.length < before) yield* Effect.promise(() => new Promise(setImmediate))
        yield* TestClock.adjust(wait)
      }
      assert.strictEqual(yield* Fiber.join(search), end)
    })
  )

  it.effect("whose responses a page replaces may be back", () =>
    Effect.gen(function* () {
      const env = { ALIBABA_CLOUD_ECS_METADATA: "uploads" }
      const answer: Answerer = () => ({ body: "<html>portal</html>" })
      const error = yield* Effect.flip(find({ env, answer }, { metadata }))
      assert.strictEqual(error.reason._tag, "CredentialsUnavailable")
      assert.notInclude(error.message, "portal")
    })
  )

  const first: Answerer = (request) =>
    request.url.endsWith("/token")
      ? { status: 404, body: "" }
      : instance({ ...request, headers: { "x-aliyun-ecs-metadata-token": "v2" } })

  it.effect("of version 1 does, unless that is forbidden", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* find({ answer: first }, { metadata }))[0], "STS.ecs")
      const env = { ALIBABA_CLOUD_IMDSV1_DISABLED: "true" }
      const error = yield* Effect.flip(find({ env, answer: first }, { metadata }))
      assert.include(error.message, "ALIBABA_CLOUD_IMDSV1_DISABLED is set")
    })
  )

  it.effect("that never responds costs a machine that is no ECS one second", () =>
    Effect.gen(function* () {
      const silent = { answer: () => ({ body: "", after: "never" }) as const }
      const asked: Array<Asked> = []
      const search = yield* Effect.forkChild(Effect.flip(find(silent, { metadata }, asked)))
      while (asked.length === 0) yield* Effect.promise(() => new Promise(setImmediate))
      yield* TestClock.adjust("1 second")
      const { reason } = yield* Fiber.join(search)
      assert.strictEqual(reason._tag, "CredentialsNotFound")
      assert.include(reason.message, "no response within 1000 ms")
    })
  )

  it.effect("is not asked if ALIBABA_CLOUD_ECS_METADATA_DISABLED says so", () =>
    Effect.gen(function* () {
      const env = { ALIBABA_CLOUD_ECS_METADATA_DISABLED: "true" }
      const asked: Array<Asked> = []
      yield* Effect.flip(find({ env, answer: instance }, { metadata }, asked))
      assert.deepStrictEqual(asked, [])
    })
  )
})

const profile = (fields: object, more: ReadonlyArray<object> = []) => ({
  ".aliyun/config.json": JSON.stringify({
    current: "work",
    profiles: [{ name: "work", ...fields }, ...more]
  })
})
const keys = { access_key_id: "base", access_key_secret: "hidden-base" }
const byRole = { ...keys, ram_role_arn: arn, ram_session_name: "me", expired_seconds: 900 }

describe("STS gives a role's keys", () => {
  it.effect("for keys of a profile, signed", () =>
    Effect.gen(function* () {
      const asked: Array<Asked> = []
      const files = profile({ mode: "RamRoleArn", ...byRole, external_id: "x" })
      const found = yield* find({ files, answer: () => granted("role") }, { sts }, asked)
      assert.strictEqual(found[0], "STS.role")
      const [request] = asked
      assert.strictEqual(request?.url, `${sts}/`)
      const { Signature, ...form } = Object.fromEntries(request?.form ?? [])
      assert.strictEqual(Signature, signatureOf("POST", form, "hidden-base"))
      assert.deepInclude(form, {
        Action: "AssumeRole",
        AccessKeyId: "base",
        RoleArn: arn,
        RoleSessionName: "me",
        DurationSeconds: "900",
        ExternalId: "x",
        Timestamp: "1970-01-01T00:00:00Z"
      })
      assert.notInclude(JSON.stringify([...request!.form]), "hidden-base")
    })
  )

  it.effect.each([
    [
      "the role of the instance",
      profile({ mode: "RamRoleArnWithRoleName", ram_role_arn: arn, ram_role_name: "uploads" })
    ],
    [
      "another profile",
      profile({ mode: "ChainableRamRoleArn", ram_role_arn: arn, source_profile: "ecs" }, [
        { name: "ecs", mode: "EcsRamRole", ram_role_name: "uploads" }
      ])
    ]
  ] as const)("for those of %s", ([, files]) =>
    Effect.gen(function* () {
      const asked: Array<Asked> = []
      const answer: Answerer = (request) =>
        request.url.startsWith(sts) ? granted("role") : instance(request)
      const found = yield* find({ files, answer }, { sts, metadata }, asked)
      assert.strictEqual(found[0], "STS.role")
      assert.strictEqual(asked.at(-1)?.form.get("SecurityToken"), "hidden-token-ecs")
    })
  )

  const pod = {
    env: {
      ALIBABA_CLOUD_OIDC_TOKEN_FILE: "~/token",
      ALIBABA_CLOUD_OIDC_PROVIDER_ARN: "acs:ram::1:oidc-provider/ack",
      ALIBABA_CLOUD_ROLE_ARN: arn
    },
    files: { token: "hidden.jwt\n" }
  }

  it.effect("for the OIDC token of a pod, in the body and not signed", () =>
    Effect.gen(function* () {
      const asked: Array<Asked> = []
      const found = yield* find({ ...pod, answer: () => granted("pod") }, { sts }, asked)
      assert.strictEqual(found[0], "STS.pod")
      assert.deepInclude(Object.fromEntries(asked[0]?.form ?? []), {
        Action: "AssumeRoleWithOIDC",
        OIDCToken: "hidden.jwt",
        OIDCProviderArn: "acs:ram::1:oidc-provider/ack",
        RoleArn: arn
      })
      assert.isFalse(asked[0]?.form.has("Signature"))
      assert.notInclude(asked[0]?.url, "hidden")
    })
  )

  it.effect("at the address of the region that ALIBABA_CLOUD_STS_REGION names", () =>
    Effect.gen(function* () {
      const asked: Array<Asked> = []
      const env = { ...pod.env, ALIBABA_CLOUD_STS_REGION: "cn-beijing" }
      yield* find({ ...pod, env, answer: () => granted("pod") }, {}, asked)
      const inside = { ...env, ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED: "true" }
      yield* find({ ...pod, env: inside, answer: () => granted("pod") }, {}, asked)
      assert.deepStrictEqual(
        asked.map(({ url }) => url),
        ["https://sts.cn-beijing.aliyuncs.com/", "https://sts-vpc.cn-beijing.aliyuncs.com/"]
      )
    })
  )

  it.effect("signed with the time of STS where this machine's clock is wrong", () =>
    Effect.gen(function* () {
      const asked: Array<Asked> = []
      const files = profile({ mode: "RamRoleArn", ...byRole })
      const answer = ({ form }: Asked) =>
        form.get("Timestamp")?.startsWith("2026") === true
          ? granted("role")
          : {
              ...refusal("InvalidTimeStamp.Expired", ""),
              headers: { date: "Fri, 27 Nov 2026 08:00:00 GMT" }
            }
      assert.strictEqual((yield* find({ files, answer }, { sts }, asked))[0], "STS.role")
      assert.deepStrictEqual(
        asked.map(({ form }) => form.get("Timestamp")),
        ["1970-01-01T00:00:00Z", "2026-11-27T08:00:00Z"]
      )
    })
  )

  it.effect("or says why not, without what was signed", () =>
    Effect.gen(function* () {
      const files = profile({ mode: "RamRoleArn", ...byRole, sts_token: "hidden-t" })
      const said = "server string to sign is: POST&%2F&SecurityToken%3Dhidden-t"
      const cases = [
        [
          refusal("NoPermission", "You are not authorized"),
          "CredentialsRefused",
          /NoPermission You/,
          /trust policy/
        ],
        [
          refusal("EntityNotExist.Role", "The role not exists: uploads."),
          "CredentialsRefused",
          /EntityNotExist\.Role The role/,
          /role's ARN/
        ],
        [
          refusal("SignatureDoesNotMatch", said),
          "CredentialsRefused",
          /SignatureDoesNotMatch$/,
          /secret/
        ],
        [
          refusal("InvalidTimeStamp.Expired", ""),
          "CredentialsRefused",
          /InvalidTimeStamp\.Expired$/,
          /set this machine's clock/
        ],
        [refusal("Throttling.User", ""), "CredentialsUnavailable", /Throttling\.User/, /network/],
        [
          { status: 403, body: "<html>" },
          "CredentialsUnavailable",
          /a page came in place of its response \(403\)/,
          /network/
        ],
        [
          { body: "<!DOCTYPE html><html>Sign in to the hotel</html>" },
          "CredentialsUnavailable",
          /a page came in place of its response \(200\)/,
          /network/
        ],
        [{ status: 503, body: "" }, "CredentialsUnavailable", /responded with 503/, /network/],
        [{ body: '{"Credentials":{}}' }, "CredentialsInvalid", /AccessKeyId is missing/, /mend/],
        [undefined, "CredentialsUnavailable", /ENOTFOUND/, /network/]
      ] as const
      for (const [answer, tag, message, remedy] of cases) {
        const error = yield* Effect.flip(find({ files, answer: () => answer }, { sts }))
        assert.strictEqual(error.reason._tag, tag)
        assert.match(error.message, message)
        assert.match(error.remedy, remedy)
        assert.include(error.message, arn)
        assert.notMatch(inspect(error, { depth: 9, showHidden: true }), /hidden/)
      }
    })
  )

  it("with the signature that Alibaba documents for its RPC style", () => {
    const parameters = {
      AccessKeyId: "testid",
      Action: "DescribeRegions",
      Format: "XML",
      SignatureMethod: "HMAC-SHA1",
      SignatureNonce: "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf",
      SignatureVersion: "1.0",
      Timestamp: "2016-02-23T12:46:24Z",
      Version: "2014-05-26"
    }
    assert.strictEqual(signatureOf("GET", parameters, "testsecret"), "OLeaidS1JvxuMvnyHOwuJ+uX5qY=")
  })
})

describe("an external program", () => {
  const external = (program: string, text: string) => ({
    files: {
      "program.mjs": program,
      ...profile({ mode: "External", process_command: text })
    }
  })
  // The command is split at spaces, and the path of this Node may have some.
  const node = "node"
  const inHome = (program: string) => {
    const script = `data:text/javascript,${encodeURIComponent(program)}`
    return external("", `${node} --input-type=module --import ${script} -e 0`)
  }
  const print = (value: object) => inHome(`console.log(${JSON.stringify(JSON.stringify(value))})`)

  it.live("prints keys", () =>
    Effect.gen(function* () {
      const printed = {
        mode: "StsToken",
        ...keys,
        sts_token: "t",
        expiration: "1970-01-01T01:00:00Z"
      }
      assert.deepStrictEqual(yield* find(print(printed)), ["base", "hidden-base", "t", 3_600_000])
    })
  )

  it.live("that fails, isn't there or prints anything else is named, and not what it printed", () =>
    Effect.gen(function* () {
      const cases = [
        [inHome("console.log('hidden'); process.exit(3)"), /exited with 3/],
        [external("", "/no/such/program hidden"), /program: can't be run \(NotFound\)/],
        [inHome("console.log('hidden')"), /is not JSON/],
        [print({ access_key_id: "hidden" }), /access_key_secret is missing/],
        [inHome("console.log('x'.repeat(100000))"), /prints too much/]
      ] as const
      for (const [world, message] of cases) {
        const error = yield* Effect.flip(find(world))
        assert.strictEqual(error.reason._tag, "CredentialsInvalid")
        assert.match(error.message, message)
        assert.notInclude(inspect(error, { depth: 9, showHidden: true }), "hidden")
      }
    })
  )
})

describe("ossutil's file", () => {
  it.effect.each([
    ["mode=EcsRamRole", "[default]\nmode=EcsRamRole\necsRoleName=uploads\n"],
    ["mode EcsRamRole without a role", "[Credentials]\nmode = EcsRamRole\n"],
    [
      "AkService of version 1",
      `[AkService]\necsAk=http://100.100.100.200/latest/meta-data/Ram/security-credentials/uploads\n`
    ]
  ] as const)("may leave the keys to the metadata service: %s", ([, text]) =>
    Effect.gen(function* () {
      const world = { files: { ".ossutilconfig": text }, answer: instance }
      assert.strictEqual((yield* find(world, { metadata }))[0], "STS.ecs")
    })
  )

  it.effect("may have a role", () =>
    Effect.gen(function* () {
      const text = `[default]\nmode=RamRoleArn\naccessKeyID=a\naccessKeySecret=s\nrole-arn=${arn}\n`
      const world = { files: { ".ossutilconfig": text }, answer: () => granted("role") }
      assert.strictEqual((yield* find(world, { sts }))[0], "STS.role")
    })
  )
})
