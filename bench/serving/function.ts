// The function of the cold starts.
export const handle = (): string => 'Hello World!'
