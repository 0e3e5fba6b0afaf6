/**
 * Node's HTTP modules without the cost of an ES import, which reads their
 * exports one by one; one of these loads all of undici.
 */
export const http = process.getBuiltinModule("node:http")
export const https = process.getBuiltinModule("node:https")
export const net = process.getBuiltinModule("node:net")
