// What is there before a user makes anything: system namespaces and Knative's ConfigMaps.
import type { ResourceClient } from '../engine/reconciler.ts'
import { configMapDefaults, systemNamespaces } from '../kinds/config-maps.ts'
import type { Resource } from '../model/kubernetes/resource.ts'

/** Creates what is missing; what a user changed stays changed. */
export async function bootstrap(client: ResourceClient): Promise<void> {
  for (const name of systemNamespaces) {
    if ((await client.get('Namespace', '', name)) !== undefined) continue
    await client.create<Resource>({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
  }
  const missing = await Promise.all(
    configMapDefaults.map(async (configMap) => {
      const { namespace = '', name } = configMap.metadata
      return (await client.get('ConfigMap', namespace, name)) === undefined ? [configMap] : []
    }),
  )
  await Promise.all(missing.flat().map((configMap) => client.create(configMap)))
}
