/**
 * Calls between services. Unary calls travel over one bidirectional gRPC stream, coalesced once per turn of the event loop,
 * with deadlines, cancellation, reconnection and bounds on both sides; the same methods answer as ordinary gRPC.
 *
 * ```ts
 * const server = await serveRpc({ address: 'unix:/run/countersign/policy.sock', services: [
 *   implement(policyRpc.PolicyServiceService, {
 *     decide: async (request, { signal }) => …,
 *     async *watch(request, { signal }) { … },
 *   }),
 * ]});
 * const policy = connectRpc(policyRpc.PolicyServiceService, { address: server.address });
 * await policy.decide({ input }, { deadlineMilliseconds: 500 });
 * ```
 * Any CountersignError that a handler throws arrives as the same; anything else as `internal`, its text kept as the cause that
 * `onFailure` hears. Of the caller's own: rpc.unavailable, rpc.deadline, rpc.cancelled, rpc.overloaded, request.too_large.
 */
export type { FailedCall } from './channel/index.js';
export {
  type CallContext,
  type Definition,
  type Handlers,
  implement,
  type RequestOf,
  type ResponseOf,
  type ServiceRegistration,
} from './definition.js';
export {
  type CallOptions,
  type Connection,
  type ConnectOptions,
  connectRpc,
  type RpcClient,
} from './rpc.client.js';
export { type RpcServer, type ServeOptions, serveRpc } from './rpc.server.js';
export type { TlsFiles } from './tls.driver.js';
export { type WatchOptions, watchForever } from './watch.js';
