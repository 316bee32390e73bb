import { approvalRpc, maskingRpc, policyRpc } from '@countersign/contracts';
import { connectRpc, type RpcClient, watchForever } from '@countersign/rpc';
import type { Logger } from '@countersign/service-kit';
import type { Configuration } from './configuration.js';
import type { MaskingClient, PolicyClient } from './gate/index.js';
import type { GrantWatch, TokenVerifier } from './session/index.js';

/** Connections to the services that every action needs. */
export interface Services {
  readonly policy: RpcClient<typeof policyRpc.PolicyServiceService>;
  readonly masking: RpcClient<typeof maskingRpc.MaskingServiceService>;
  readonly approval: RpcClient<typeof approvalRpc.ApprovalServiceService>;
}

export function connectServices({ policy, masking, approval }: Configuration['services']): Services {
  return {
    policy: connectRpc(policyRpc.PolicyServiceService, policy),
    masking: connectRpc(maskingRpc.MaskingServiceService, masking),
    approval: connectRpc(approvalRpc.ApprovalServiceService, approval),
  };
}

export function closeServices(services: Services): void {
  for (const client of Object.values(services)) client.close();
}

/** What is remembered, and what tells it to forget. */
export interface Remembering {
  readonly policy: PolicyClient;
  readonly masking: MaskingClient;
  readonly grants: GrantWatch;
  readonly tokens: TokenVerifier;
}

/** Which streams of changes are unbroken. */
export interface Watches {
  readonly standing: ReadonlySet<'policy' | 'masking' | 'approval'>;
}

/**
 * Follows the changes of all three services. While a stream is broken nothing of its service is remembered: each action
 * asks, and is refused where nobody answers.
 */
export function watchServices(
  services: Services,
  remembering: Remembering,
  logger: Logger,
  signal: AbortSignal,
): Watches {
  const standing = new Set<'policy' | 'masking' | 'approval'>();
  const broken =
    (name: 'policy' | 'masking' | 'approval', forget: () => void) => (error: { readonly code: string }) => {
      forget();
      if (standing.delete(name)) logger.warn({ event: 'watch-broken', service: name, code: error.code });
    };
  void watchForever((round) => services.policy.watch({}, { signal: round }), {
    onMessage: ({ policyDigest }) => {
      remembering.policy.onActive(policyDigest);
      standing.add('policy');
    },
    onBroken: broken('policy', () => remembering.policy.onBroken()),
    signal,
  });
  void watchForever((round) => services.masking.watch({}, { signal: round }), {
    onMessage: ({ target, contextDigest }) => {
      remembering.masking.onContext(target, contextDigest);
      standing.add('masking');
    },
    onBroken: broken('masking', () => remembering.masking.onBroken()),
    signal,
  });
  void watchForever((round) => services.approval.watch({}, { signal: round }), {
    onMessage: ({ change }) => {
      if (change?.$case === 'ready') remembering.grants.onReady();
      else if (change?.$case === 'grantEnded') remembering.grants.onEnded(change.value);
      else if (change?.$case === 'keysRotated') remembering.tokens.forget();
      standing.add('approval');
    },
    onBroken: broken('approval', () => {
      remembering.grants.onBroken();
      remembering.tokens.forget();
    }),
    signal,
  });
  return { standing };
}
