/** The page that says which rules hold where. */
import type { Case } from "./Case.ts"
import { cases } from "./cases/index.ts"
import { appliesInProcess } from "./inProcess.ts"

const row = (each: Case) => {
  const { hostname, pathname } = new URL(each.source)
  const page = pathname.split("/").at(-1) ?? hostname
  const where = appliesInProcess(each) ? "yes" : "–"
  return `| ${each.rule.replaceAll("|", String.raw`\|`)} | yes | ${where} | [${page}](${each.source}) |`
}

/** How many cases there are. */
export const count = cases.reduce((sum, [, group]) => sum + group.length, 0)

export const page = (): string =>
  [
    "# Conformance of the emulator",
    "",
    `The emulator keeps ${count} rules of OSS. Each rule is a case in \`test/conformance/cases\`: a request, the answer and the page that says so. A test runs every case against the emulator over HTTP, and, where \`OssClient\` can make the request, against the client without I/O. "–" marks the rules that the interface of the client has no words for.`,
    "",
    "You can run the same cases against any other endpoint, OSS itself included. Use a bucket that holds nothing else. The cases write objects under `effect-oss-conformance/` and remove them, and they change the CORS rules and the tags of the bucket. Cases about versions create a second bucket with the same name and `-versions` behind it, and delete it.",
    "",
    "```sh",
    "CONFORMANCE_ENDPOINT=https://oss-cn-hangzhou.aliyuncs.com CONFORMANCE_REGION=cn-hangzhou \\",
    "CONFORMANCE_BUCKET=my-empty-bucket CONFORMANCE_ACCESS_KEY_ID=… CONFORMANCE_ACCESS_KEY_SECRET=… \\",
    "npx pnpm@12 vitest run test/conformance",
    "```",
    "",
    "For temporary keys, set `CONFORMANCE_SESSION_TOKEN` as well. To try the command without an account, start `effect-oss-emulator --bucket my-empty-bucket --access-key-id … --access-key-secret …` in another shell and take its address for the endpoint. `pnpm test:long` does the same.",
    "",
    ...cases.flatMap(([about, group]) => sectionOf(about, group))
  ].join("\n")

const sectionOf = (about: string, group: ReadonlyArray<Case>): ReadonlyArray<string> =>
  [
    `## ${about}`,
    "",
    "| rule | over HTTP | without I/O | source |",
    "| --- | --- | --- | --- |"
  ].concat(group.map(row), "")
