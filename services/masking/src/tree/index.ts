export { quoteIdentifier, quoteLiteral } from './quote.js';
export {
  bodyOf,
  childrenOf,
  depthOf,
  type Fields,
  isFields,
  isNode,
  itemsOf,
  type Node,
  namesOf,
  objectsOf,
  sameTree,
  stringsOf,
  tagOf,
} from './tree.js';
