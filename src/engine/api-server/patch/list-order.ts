// Where list items that only the server knows go between those that a patch has put in order.
// Source: the strategic merge patch of kubernetes/apimachinery pkg/util/strategicpatch, mergeSortedSlice.

/**
 * `wanted` in its order, with each of `others` before the first wanted item that follows it in `serverOrder`; those that
 * the server does not know (-1) go last. `others` come in the server's order.
 */
export function interleave<Item>(wanted: Item[], others: Item[], serverOrder: (item: Item) => number): Item[] {
  const result = [...wanted]
  for (const other of others) {
    const rank = serverOrder(other)
    const following = rank < 0 ? -1 : result.findIndex((item) => serverOrder(item) > rank)
    result.splice(following < 0 ? result.length : following, 0, other)
  }
  return result
}
