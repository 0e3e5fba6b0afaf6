/** The pages of OSS's documentation that cases refer to. */
const developer = (page: string) => `https://help.aliyun.com/en/oss/developer-reference/${page}`
const guide = (page: string) => `https://help.aliyun.com/en/oss/user-guide/${page}`

/** What an operation does. */
export const operation = developer
/** What an error code of the troubleshooting pages means. */
export const ec = guide

export const signatureV4 = developer("recommend-to-use-signature-version-4")
export const signatureV1 = developer("include-signatures-in-the-authorization-header")
export const ranges =
  "https://help.aliyun.com/en/oss/how-to-obtain-oss-resources-by-segmenting-http-range-requests"
export const rangeBehavior = developer("scope-download-using-oss-sdk-for-php-v2")
export const throttling = guide("single-connection-bandwidth-throttling-4")
export const invalidPart =
  "https://alibabacloud.com/help/en/oss/oss-reports-an-invalidpart-error-when-using-the-multipart-upload-method-to-upload-files"
/** The second witness: the clients' own sources and tests. */
export const aliOss = (file: string) => `https://github.com/ali-sdk/ali-oss/blob/6.x/${file}`
export const goV2 = (file: string) =>
  `https://github.com/aliyun/alibabacloud-oss-go-sdk-v2/blob/master/oss/${file}`
export const pythonV2 = (file: string) =>
  `https://github.com/aliyun/alibabacloud-oss-python-sdk-v2/blob/master/tests/integration/${file}`
export const goV1 = (file: string) =>
  `https://github.com/aliyun/aliyun-oss-go-sdk/blob/master/${file}`
