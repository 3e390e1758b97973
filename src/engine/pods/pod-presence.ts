// What senders of requests are told of one Pod: where it is reached, and whether it is ready.
import type { Pod } from '../../model/kubernetes/pod/pod.ts'
import type { PodPresence, PodTable, PodUsage, RegisteredPod } from '../serving.ts'
import type { ContainerRunner } from './container-runner.ts'

/** The port of a container that declares none. Source: Knative runtime contract. */
const defaultPort = 8_080

type Running = Pick<ContainerRunner, 'container' | 'workload'>

export interface PresenceOptions {
  pods: PodTable
  pod: Pod
  containers: readonly Running[]
  /** The container that takes requests. */
  serving: Running | undefined
}

/** Registers the Pod with its first instance, and keeps the entry true. */
export class PodPresenceKeeper {
  #options: PresenceOptions
  #registered: RegisteredPod | undefined
  #ports: ReadonlyMap<number, number> = new Map()

  constructor(options: PresenceOptions) {
    this.#options = options
  }

  /** Where it is reached; `undefined` while the container that takes requests does not run. */
  get host(): string | undefined {
    return this.#options.serving?.workload?.host
  }

  tell(isReady: boolean): void {
    const { host } = this
    if (host === undefined) return this.#registered?.update({ isReady: false })
    const ports = this.#currentPorts()
    if (this.#registered === undefined) this.#registered = this.#options.pods.register(this.#entry(host, isReady))
    else this.#registered.update({ isReady, host, ports })
  }

  relabel(labels: Readonly<Record<string, string>>): void {
    this.#registered?.update({ labels })
  }

  /** Takes no new requests; resolves when the last one is done, at the latest after `timeoutMs`. */
  async drain({ timeoutMs }: { timeoutMs: number }): Promise<void> {
    await this.#registered?.drain({ timeoutMs })
  }

  remove(): void {
    this.#registered?.remove()
    this.#registered = undefined
  }

  #entry(host: string, isReady: boolean): PodPresence {
    const { metadata } = this.#options.pod
    return {
      namespace: metadata.namespace ?? '',
      name: metadata.name,
      uid: metadata.uid ?? '',
      labels: metadata.labels ?? {},
      host,
      ports: this.#currentPorts(),
      portNames: this.#portNames(),
      isReady,
      otherPort: (port) => this.#otherPort(port),
      usage: () => this.#usage(),
    }
  }

  /** A container may listen where it declares nothing; one that declares no port at all has one all the same. */
  #otherPort(containerPort: number): number | undefined {
    const { containers, serving } = this.#options
    const declaresAny = containers.some(({ container }) => (container.ports ?? []).length > 0)
    return declaresAny ? serving?.workload?.portOf(containerPort) : serving?.workload?.port
  }

  /** The same map as long as it says the same: what does not change is not told. */
  #currentPorts(): ReadonlyMap<number, number> {
    const { containers, serving } = this.#options
    const ports = new Map<number, number>()
    for (const { container, workload } of containers) {
      for (const { containerPort = 0 } of container.ports ?? []) {
        ports.set(containerPort, workload?.portOf(containerPort) ?? containerPort)
      }
    }
    const { container, workload } = serving ?? {}
    if ((container?.ports ?? []).length === 0 && workload !== undefined) ports.set(defaultPort, workload.port)
    const isSame = ports.size === this.#ports.size && [...ports].every(([port, at]) => this.#ports.get(port) === at)
    if (!isSame) this.#ports = ports
    return this.#ports
  }

  #portNames(): Map<string, number> {
    const named = this.#options.containers.flatMap(({ container }) => container.ports ?? [])
    return new Map(
      named.flatMap(({ name = '', containerPort }) =>
        name === '' || containerPort === undefined ? [] : [[name, containerPort] as const],
      ),
    )
  }

  async #usage(): Promise<PodUsage | undefined> {
    const used = await Promise.all(this.#options.containers.map(async ({ workload }) => workload?.usage?.()))
    const known = used.filter((each) => each !== undefined)
    if (known.length === 0) return undefined
    return {
      cpuMs: known.reduce((sum, { cpuMs }) => sum + cpuMs, 0),
      memoryBytes: known.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0),
    }
  }
}
