// Sends events as a plain HTTP client does, each by a connection of its own: none is kept that may be closed meanwhile.

export const postBinary = (
  url: string,
  attributes: Record<string, string>,
  body: string,
  others: Record<string, string> = {},
): Promise<Response> => {
  const headers = Object.entries({ specversion: '1.0', id: '1', source: '/test', ...attributes })
  return fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      connection: 'close',
      ...others,
      ...Object.fromEntries(headers.map(([name, value]) => [`ce-${name}`, value])),
    },
    body,
  })
}

export const postStructured = (url: string, attributes: Record<string, string>, data: unknown): Promise<Response> =>
  fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/cloudevents+json; charset=UTF-8', connection: 'close' },
    body: JSON.stringify({ specversion: '1.0', id: '1', source: '/test', ...attributes, data }),
  })
