// For tests: a Revision's door behind a gateway, and a client that speaks HTTP/2.
import { openDoor } from '../../../test/harness/revision-door.ts'
import type { DoorSetup } from '../../../test/harness/revision-door.ts'
import { aGateway } from './test-gateway.ts'
import type { TestGateway } from './test-gateway.ts'
import { connectH2c } from './test-http2.ts'
import type { H2cClient } from './test-http2.ts'

export const grpc = { ':method': 'POST', 'content-type': 'application/grpc', te: 'trailers' }

export interface DoorWithHttp2 extends AsyncDisposable {
  test: DoorSetup
  gateway: TestGateway
  client: H2cClient
}

/** A gateway with a Revision's door at every host of `example.com`, and a client that speaks HTTP/2. */
export async function setUp(settings: Parameters<typeof openDoor>[0] = {}): Promise<DoorWithHttp2> {
  const test = await openDoor(settings)
  const gateway = await aGateway({ endpoints: { 'echo.default.example.com': test.door } })
  const client = connectH2c(gateway.port)
  return {
    test,
    gateway,
    client,
    async [Symbol.asyncDispose]() {
      client[Symbol.dispose]()
      await gateway[Symbol.asyncDispose]()
      await test[Symbol.asyncDispose]()
    },
  }
}
