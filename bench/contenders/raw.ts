/**
 * The least that moves a file over node:http: parts read with pread into a ring
 * of 256 KiB buffers, no signature, no check sum, no checkpoint, no retry.
 */
import { open, read as readCallback, statSync } from "node:fs"
import { promisify } from "node:util"
import { task } from "./report.ts"

const { endpoint, files, partSize = 8 * 1024 * 1024, parallel = 5 } = task
const { Agent, request } = endpoint.startsWith("https:")
  ? process.getBuiltinModule("node:https")
  : process.getBuiltinModule("node:http")
const [file = ""] = files
const pieceSize = 256 * 1024
const read = promisify(readCallback)
const { size } = statSync(file)
const fd = await promisify(open)(file, "r")
const agent = new Agent({ keepAlive: true, maxSockets: parallel })

const put = async (buffers: ReadonlyArray<Buffer>, number: number) => {
  const offset = (number - 1) * partSize
  const length = Math.min(partSize, size - offset)
  const sent = request(`${endpoint}/raw?partNumber=${number}`, {
    method: "PUT",
    agent,
    headers: { "content-length": length }
  })
  const answered = new Promise<void>((resolve, reject) => {
    sent.on("error", reject)
    sent.on("response", (response) => response.resume().on("end", resolve))
  })
  const written = buffers.map(() => Promise.resolve())
  for (let done = 0, turn = 0; done < length; done += pieceSize, turn++) {
    const slot = turn % buffers.length
    await written[slot]
    const piece = buffers[slot]!.subarray(0, Math.min(pieceSize, length - done))
    await read(fd, piece, 0, piece.length, offset + done)
    written[slot] = new Promise((resolve) => sent.write(piece, () => resolve()))
  }
  sent.end()
  await answered
}

const numbers = Array.from({ length: Math.ceil(size / partSize) }, (_, index) => index + 1).values()
const worker = async () => {
  const buffers = [Buffer.allocUnsafeSlow(pieceSize), Buffer.allocUnsafeSlow(pieceSize)]
  for (const number of numbers) await put(buffers, number)
}
await Promise.all(Array.from({ length: parallel }, worker))
agent.destroy()
