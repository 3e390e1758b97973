// The container of a Revision that takes its requests. Source: knative/serving pkg/apis/serving/v1/revision_helpers.go.
import type { Container } from '../../../model/serving/container-schema.ts'
import type { RevisionSpec } from '../../../model/serving/revision-template.ts'

const containerPortDefault = 8080

export function servingContainer({ containers = [] }: RevisionSpec): Container {
  return containers.find((each) => isServing(each, containers)) ?? {}
}

/** The only one, or the one that has a port. */
export const isServing = ({ ports = [] }: Container, containers: readonly Container[]): boolean =>
  containers.length === 1 || ports.length > 0

export const servingPort = (spec: RevisionSpec): number =>
  servingContainer(spec).ports?.[0]?.containerPort || containerPortDefault

export const servingProtocol = (spec: RevisionSpec): 'http1' | 'h2c' =>
  servingContainer(spec).ports?.[0]?.name === 'h2c' ? 'h2c' : 'http1'
