// The doors of all Revisions, by namespace and name.
import type { RevisionDoors } from '../serving.ts'
import { exportDoors } from './door-telemetry.ts'
import { Door } from './revision-door.ts'
import type { RevisionDoorDeps } from './revision-door.ts'

export function createRevisionDoors(deps: RevisionDoorDeps): RevisionDoors {
  const doors = new Map<string, Door>()
  const watchers = new Map<string, Set<() => void>>()
  const tell = (key: string): void => {
    for (const listener of watchers.get(key) ?? []) listener()
  }
  exportDoors(deps.metrics, () => doors.values())
  return {
    open(spec) {
      const key = keyOf(spec.namespace, spec.name)
      const onClosing = (): void => {
        if (doors.get(key) !== door) return
        doors.delete(key)
        tell(key)
      }
      const door = new Door(spec, { ...deps, onClosing })
      doors.set(key, door)
      tell(key)
      return door
    },
    find: (namespace, name) => doors.get(keyOf(namespace, name)),
    watch(namespace, name, listener) {
      const key = keyOf(namespace, name)
      const listeners = watchers.get(key) ?? new Set<() => void>()
      watchers.set(key, listeners.add(listener))
      return {
        [Symbol.dispose]() {
          listeners.delete(listener)
          if (listeners.size === 0 && watchers.get(key) === listeners) watchers.delete(key)
        },
      }
    },
  }
}

const keyOf = (namespace: string, name: string): string => `${namespace}/${name}`
