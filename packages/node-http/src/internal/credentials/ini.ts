/** Files of sections, in the format of Alibaba's credentials and ossutil. */

/** Section names and keys are in lower case; section names have single spaces. An empty value counts as not set. */
export const parse = (text: string): ReadonlyMap<string, ReadonlyMap<string, string>> => {
  const sections = new Map<string, Map<string, string>>()
  let section = ""
  for (const line of text.replace(/^\uFEFF/, "").split(/\r?\n/)) {
    const [, title] = /^\s*\[([^\]]*)\]\s*$/.exec(line) ?? []
    if (title !== undefined) section = title.trim().replaceAll(/\s+/g, " ")
    const values = sections.get(section) ?? new Map<string, string>()
    sections.set(section, values)
    const [, name = "", value = ""] = /^\s*([^#;=[\s][^=]*?)\s*=\s*(.*?)\s*$/.exec(line) ?? []
    if (name !== "" && value !== "") values.set(name.toLowerCase(), value)
  }
  return sections
}
