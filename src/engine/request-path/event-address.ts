// Which rules an event's address follows, before anybody knows whether it exists. Source: knative/eventing
// pkg/broker/ingress/ingress_handler.go and pkg/channel/event_receiver.go.

/**
 * - `ingress`: the shared door `/NAMESPACE/NAME`; its event is parsed before its existence is asked
 * - `channel`: an address of its own; whether it exists is asked first
 */
export type EventAddress = 'ingress' | 'channel'

/** The kind of event address this is, or `undefined` when events have no place there. */
export function eventAddressOf(host: string, path: string): EventAddress | undefined {
  if (host === '') return channelPath.test(path) ? 'channel' : 'ingress'
  if (ingressHost.test(host)) return 'ingress'
  return channelHost.test(host) ? 'channel' : undefined
}

/** What is wrong with the path of such an address: the HTTP answer, or `undefined`. */
export function pathObjection(address: EventAddress, host: string, path: string): PathObjection | undefined {
  if (address === 'channel') return host === '' || path === '/' || twoSegments.test(path) ? undefined : badPath
  if (path === '/') return noPath
  return twoSegments.test(path) ? undefined : badPath
}

export interface PathObjection {
  status: 400 | 404
  message: string
}

const channelPath = /^\/channels\/[^/]+\/[^/]+\/?$/
const ingressHost = /^broker-ingress\.[^.]+\.svc(?:\.cluster\.local)?$/
const channelHost = /^.+-kn-channel\.[^.]+\.svc(?:\.cluster\.local)?$/
/** One slash at the end is tolerated. */
const twoSegments = /^\/[^/]+\/[^/]+\/?$/

const noPath: PathObjection = {
  status: 404,
  message: 'the path names nothing: send events to /NAMESPACE/BROKER or /channels/NAMESPACE/CHANNEL',
}
const badPath: PathObjection = {
  status: 400,
  message: 'the path has not two parts: send events to /NAMESPACE/BROKER or /channels/NAMESPACE/CHANNEL',
}
