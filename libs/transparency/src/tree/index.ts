export { appendLeaves, emptyFrontier, type Frontier, frontierRoot } from './frontier.js';
export { emptyRoot, HASH_LENGTH, leafHash, nodeHash } from './hashes.js';
export { checkSize, hashOfNodes, type LeafRange, type NodeCoordinate, nodesOf } from './nodes.js';
export { type HashReader, proveConsistency, proveInclusion, readRoot } from './prove.js';
export { type ConsistencyClaim, type InclusionClaim, verifyConsistency, verifyInclusion } from './verify.js';
