// What an image reference names. Source: google/go-containerregistry pkg/name, weak validation.

/** Whether the reference pins an image for ever. */
export const isDigestReference = (image: string): boolean => /@sha256:[0-9a-f]{64}$/.test(image)

/** `ghcr.io` of `ghcr.io/knative/helloworld-go`; Docker Hub for names without a registry. */
export function registryOf(image: string): string {
  const first = image.slice(0, Math.max(image.indexOf('/'), 0))
  return /[.:]/.test(first) || first === 'localhost' ? first : 'index.docker.io'
}

/** Whether it can be parsed at all. */
export function isImageReference(image: string): boolean {
  const digest = /^(.*)@sha256:[0-9a-f]{64}$/s.exec(image)
  const tagged =
    digest === null ? /^(.*):([\w.-]{1,128})$/s.exec(image) : /^(.*?)(?::([\w.-]{1,128}))?$/s.exec(digest[1]!)
  const path = tagged !== null && !tagged[1]!.includes('//') && !(tagged[2] ?? '').includes('/') ? tagged[1]! : image
  const slash = path.indexOf('/')
  const first = path.slice(0, Math.max(slash, 0))
  const hasRegistry = slash > 0 && (/[.:]/.test(first) || first === 'localhost')
  if (hasRegistry && !/^[a-zA-Z0-9.-]+(?::\d+)?$/.test(first)) return false
  return /^[a-z0-9_./-]{2,255}$/.test(hasRegistry ? path.slice(slash + 1) : path)
}
