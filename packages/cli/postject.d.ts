declare module "postject" {
  export const inject: (
    file: string,
    resource: string,
    data: Uint8Array,
    options: { readonly sentinelFuse: string; readonly machoSegmentName?: string }
  ) => Promise<void>
}
