// Who answers at which host and path: the gateway asks, the kinds' providers know.
import type { EndpointProvider, EndpointTable } from '../reconciler.ts'

export function createEndpointTable(): EndpointTable {
  let providers: readonly EndpointProvider[] = []
  return {
    find(host, path, isSecure) {
      for (const provider of providers) {
        const endpoint = provider.find(host, path, isSecure)
        if (endpoint !== undefined) return endpoint
      }
      return undefined
    },
    add(provider) {
      providers = [...providers, provider]
      return {
        [Symbol.dispose]() {
          providers = providers.filter((other) => other !== provider)
        },
      }
    },
  }
}
