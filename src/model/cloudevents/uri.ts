// Which texts pass as URI and URI-reference. As tolerant as Go's net/url, so that what a Knative ingress takes is taken.

/** Whether the text can be read as an absolute or relative reference (RFC 3986 section 4.1). */
export function isUriReference(text: string): boolean {
  if (usual.test(text)) return true
  // eslint-disable-next-line no-control-regex
  if (/[\u0000-\u001f\u007f]/.test(text)) return false
  const hash = text.indexOf('#')
  const [beforeFragment, fragment] = hash < 0 ? [text, ''] : [text.slice(0, hash), text.slice(hash + 1)]
  const scheme = schemePattern.exec(beforeFragment)?.[0] ?? ''
  const rest = beforeFragment.slice(scheme.length).replace(/\?.*$/s, '')
  if (!percentsAreComplete(fragment)) return false
  if (!rest.startsWith('/')) return scheme !== '' || (!/^[^/]*:/.test(rest) && percentsAreComplete(rest))
  if (!rest.startsWith('//') || (scheme === '' && rest.startsWith('///'))) return percentsAreComplete(rest)
  const authority = /^[^/]*/.exec(rest.slice(2))![0]
  return isAuthority(authority) && percentsAreComplete(rest.slice(2 + authority.length))
}

/** Whether the text is a URI with a scheme (RFC 3986 section 4.3; a fragment is tolerated). */
export function isAbsoluteUri(text: string): boolean {
  return schemePattern.test(text) && isUriReference(text)
}

/** What nearly every event has: a path, or a URL without user, query and percent-encoding. */
const usual = /^(?:[A-Za-z][A-Za-z0-9+.-]*:\/\/[A-Za-z0-9.-]+(?::\d+)?)?\/[A-Za-z0-9._~-]+(?:\/[A-Za-z0-9._~-]+)*$/
const schemePattern = /^[A-Za-z][A-Za-z0-9+.-]*:/
const percentsAreComplete = (text: string): boolean => !/%(?![0-9A-Fa-f]{2})/.test(text)

function isAuthority(text: string): boolean {
  const at = text.lastIndexOf('@')
  if (at >= 0 && !(/^[\w.!$&'()*+,;=:~%@-]*$/.test(text.slice(0, at)) && percentsAreComplete(text))) return false
  const host = text.slice(at + 1)
  if (host.startsWith('[')) return /^\[[^\]\s]*\](?::\d*)?$/.test(host)
  return /^(?:[\w.~!$&'()*+,;=<>"[\]-]|[^\0-\x7f]|%25|%[89A-Fa-f][0-9A-Fa-f])*(?::\d*)?$/.test(host)
}
