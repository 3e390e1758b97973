// The Configuration and the Route of a Service. Source: knative/serving pkg/reconciler/service/resources.
import { controllerRef } from '../../../model/kubernetes/resource.ts'
import type { ObjectMeta } from '../../../model/kubernetes/resource.ts'
import { annotationKeys } from '../../../model/serving/annotation-keys.ts'
import {
  kubectlLastAppliedAnnotation,
  routesAnnotation,
  serviceLabel,
  serviceUidLabel,
} from '../../../model/serving/metadata-keys.ts'
import type { Configuration } from '../configuration/schema.ts'
import type { Route } from '../route/schema.ts'
import type { Service } from './schema.ts'

/** @param existing keeps the names of other Routes that lead to it */
export function makeConfiguration(service: Service, existing?: Configuration): Configuration {
  const { name, uid = '', labels, annotations } = service.metadata
  const others = existing?.metadata.annotations?.[routesAnnotation]?.split(',') ?? []
  const routes = [...new Set([...others, name])].filter((each) => each !== '').sort()
  return {
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Configuration',
    metadata: {
      ...identity(service),
      labels: { ...labels, [serviceLabel]: name, [serviceUidLabel]: uid },
      annotations: {
        ...without(annotations, kubectlLastAppliedAnnotation, ...annotationKeys.rolloutDuration),
        [routesAnnotation]: routes.join(','),
      },
    },
    spec: { template: structuredClone(service.spec.template ?? {}) },
  }
}

export function makeRoute(service: Service): Route {
  const { name, labels, annotations } = service.metadata
  return {
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Route',
    metadata: {
      ...identity(service),
      labels: { ...labels, [serviceLabel]: name },
      annotations: without(annotations, kubectlLastAppliedAnnotation),
    },
    spec: {
      traffic: (service.spec.traffic ?? []).map((target) =>
        (target.revisionName ?? '') === '' ? { ...target, configurationName: name } : { ...target },
      ),
    },
  }
}

const identity = (service: Service): ObjectMeta => ({
  name: service.metadata.name,
  ...(service.metadata.namespace === undefined ? {} : { namespace: service.metadata.namespace }),
  ownerReferences: [controllerRef(service)],
})

const without = (annotations: Readonly<Record<string, string>> = {}, ...names: string[]): Record<string, string> =>
  Object.fromEntries(Object.entries(annotations).filter(([name]) => !names.includes(name)))
