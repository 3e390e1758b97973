// The name at the end of an image reference. Source: distribution reference grammar; ko's naming of what it builds.

/** `gcr.io/knative-releases/cmd/event_display:v1@sha256:…` → `event_display`; a hash that ko adds is taken off. */
export function imageName(reference: string): string {
  const path = reference.replace(/^ko:\/\//, '').replace(/@.*$/, '')
  const last = path.slice(path.lastIndexOf('/') + 1)
  return last.replace(/:.*$/, '').replace(/-[0-9a-f]{32}$/, '')
}
