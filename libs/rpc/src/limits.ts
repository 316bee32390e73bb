/** Bounds of a channel; both sides apply the smaller of their own. */
export const limits = {
  /** Largest encoded request or response of one call, bytes. */
  maxPayloadBytes: 16 * 1024 * 1024,
  /** Calls in flight on one channel. */
  maxInFlight: 1024,
  /** Calls in flight in one server, over all channels. */
  maxInFlightOfServer: 4096,
  /** The most that a caller's deadline may be, and the deadline where it names none, milliseconds. */
  maxDeadlineMilliseconds: 300_000,
  /** Default deadline of a caller, milliseconds. */
  deadlineMilliseconds: 5000,
  /** Payload after which a coalesced message is closed and the next begun, bytes. */
  batchBytes: 256 * 1024,
  /** Time for a connection to come about, milliseconds. */
  connectMilliseconds: 5000,
} as const;

/** Time before the next attempt after `failures` failed ones, milliseconds; half of it is chance, so that clients spread out. */
export function backOff(failures: number, random: number): number {
  const whole = Math.min(500, 25 * 2 ** Math.min(failures, 10));
  return whole / 2 + (whole / 2) * random;
}

/** Options that both ends of a grpc-js connection share. */
export function connectionOptions(maxPayloadBytes: number) {
  // A message may hold a batch and, as its last call, one payload of full size.
  const message = maxPayloadBytes + limits.batchBytes + 64 * 1024;
  return {
    'grpc.max_receive_message_length': message,
    'grpc.max_send_message_length': message,
    // A peer that is silently gone is noticed within five seconds: what caches rest on its stream is stale until then.
    'grpc.keepalive_time_ms': 2000,
    'grpc.keepalive_timeout_ms': 3000,
    'grpc.keepalive_permit_without_calls': 1,
    'grpc-node.flow_control_window': 4 * 1024 * 1024,
    'grpc.enable_channelz': 0,
    'grpc.enable_retries': 0,
    'grpc.enable_http_proxy': 0,
    'grpc.use_local_subchannel_pool': 1,
    'grpc.service_config_disable_resolution': 1,
  } as const;
}
