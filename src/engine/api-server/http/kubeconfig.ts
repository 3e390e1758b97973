// The kubeconfig that lets kubectl, kn and every other Kubernetes client in. Source: kubernetes/client-go clientcmd/api/v1.
import { stringify } from 'yaml'

export interface KubeconfigOptions {
  /** The API's `https://` address: over plain HTTP, Go clients leave the token away. */
  server: string
  /** PEM of the certificate to trust. */
  certificate: string
  token: string
  /** Name of cluster, user and context. @default 'knode' */
  name?: string
  /** Of the context. @default 'default' */
  namespace?: string
}

/** The file's text. It holds the token: write it with mode 0600. */
export function kubeconfigText(options: KubeconfigOptions): string {
  const { server, certificate, token, name = 'knode', namespace = 'default' } = options
  const authority = Buffer.from(certificate).toString('base64')
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server, 'certificate-authority-data': authority } }],
    users: [{ name, user: { token } }],
    contexts: [{ name, context: { cluster: name, user: name, namespace } }],
    'current-context': name,
  })
}
