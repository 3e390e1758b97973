// The images helloworld and helloworld-LANGUAGE of Knative's tutorials. Source: knative/docs code-samples/serving/hello-world.
import { goLog } from './program.ts'
import type { BuiltInImage } from './program.ts'

export const helloWorld: BuiltInImage = {
  names: /^helloworld(?:-[a-z0-9]+)*$/,
  description: 'answers "Hello TARGET!"',
  start(context) {
    const target = context.env['TARGET'] || 'World'
    const body = `Hello ${target}!\n`
    return {
      kind: 'server',
      handle(request, response) {
        goLog(context, 'helloworld: received a request')
        request.resume()
        response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' }).end(body)
      },
      started(port) {
        goLog(context, 'helloworld: starting server...')
        goLog(context, `helloworld: listening on port ${port}`)
      },
    }
  },
}
