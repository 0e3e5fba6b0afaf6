/**
 * Node's HTTP modules, without what importing them as ES modules takes: their
 * exports are read one by one then, and one of them loads all of undici.
 */
export const http = process.getBuiltinModule("node:http")
export const https = process.getBuiltinModule("node:https")
export const net = process.getBuiltinModule("node:net")
