import { approvalRpc } from '@countersign/contracts';
import { CountersignError } from '@countersign/errors';
import type { Analysable } from '../action.js';
import type { ApprovalPort, Held, HeldStatus, HoldQuestion } from '../ports.js';
import { answerOf } from './errors.js';

/** The methods of libs/rpc's client that are used here. */
export interface ApprovalRpc {
  hold(request: approvalRpc.HoldRequest): Promise<approvalRpc.HoldResponse>;
  await(
    request: approvalRpc.AwaitRequest,
    options?: { readonly deadlineMilliseconds?: number; readonly signal?: AbortSignal },
  ): Promise<approvalRpc.AwaitResponse>;
  consume(request: approvalRpc.ConsumeRequest): Promise<approvalRpc.ConsumeResponse>;
}

const statuses = new Map<approvalRpc.ApprovalStatus, HeldStatus>([
  [approvalRpc.ApprovalStatus.APPROVAL_STATUS_PENDING, 'pending'],
  [approvalRpc.ApprovalStatus.APPROVAL_STATUS_APPROVED, 'approved'],
  [approvalRpc.ApprovalStatus.APPROVAL_STATUS_DENIED, 'denied'],
  [approvalRpc.ApprovalStatus.APPROVAL_STATUS_EXPIRED, 'expired'],
  [approvalRpc.ApprovalStatus.APPROVAL_STATUS_CONSUMED, 'consumed'],
]);

const LONGEST_WAIT = 30_000;
/** How much longer than the wait itself a call for it may take. */
const GRACE = 5_000;

/** Holding, waiting and consuming at the approval service. */
export class ApprovalClient implements ApprovalPort {
  readonly #rpc: ApprovalRpc;

  constructor(rpc: ApprovalRpc) {
    this.#rpc = rpc;
  }

  async hold(question: HoldQuestion): Promise<Held> {
    const response = await this.#asked(() =>
      this.#rpc.hold({
        binding: Buffer.from(question.binding),
        ...contentOf(question.submitted),
        facts: Buffer.from(question.factsText),
        actionId: question.action,
        sessionId: question.session,
        reason: question.reason,
        rules: [...question.rules],
      }),
    );
    return readHeld(response.approval);
  }

  async await(approval: string, milliseconds: number, signal: AbortSignal): Promise<Held> {
    const waitMilliseconds = Math.min(Math.round(milliseconds), LONGEST_WAIT);
    const response = await this.#asked(() =>
      this.#rpc.await(
        { approvalId: approval, waitMilliseconds },
        { deadlineMilliseconds: waitMilliseconds + GRACE, signal },
      ),
    );
    return readHeld(response.approval);
  }

  async consume(approval: string, binding: string, action: string): Promise<void> {
    await this.#asked(() =>
      this.#rpc.consume({ approvalId: approval, binding: Buffer.from(binding), actionId: action }),
    );
  }

  async #asked<Response>(ask: () => Promise<Response>): Promise<Response> {
    try {
      return await ask();
    } catch (thrown) {
      throw answerOf(thrown, ['approval.'], 'approval.unavailable');
    }
  }
}

/** Exactly what runs, as an approver is shown it: a statement and its parameters, a request's head and its body. */
function contentOf(submitted: Analysable): Pick<approvalRpc.HoldRequest, 'statement' | 'parameters'> {
  if (submitted.kind === 'request') {
    const { head, body } = submitted;
    const whole = { isNull: false, value: Buffer.from(body), binary: false, type: 0, shown: '' };
    return { statement: head, parameters: body.length === 0 ? [] : [whole] };
  }
  const { parameterTypes, binary } = submitted;
  const shown = binary?.shown() ?? [];
  return {
    statement: submitted.text,
    parameters: submitted.parameters.map((value, index) => ({
      isNull: value === null,
      value: value === null ? Buffer.alloc(0) : Buffer.from(value),
      binary: binary?.formats[index] === 1,
      type: parameterTypes[index] ?? 0,
      shown: shown[index] ?? '',
    })),
  };
}

function readHeld(approval: approvalRpc.Approval | undefined): Held {
  const status = approval === undefined ? undefined : statuses.get(approval.status);
  if (approval === undefined || status === undefined) throw new CountersignError('approval.unavailable');
  return {
    status,
    approval: {
      id: approval.id,
      approver: approval.approver,
      decidedAt: Number(approval.decidedAt),
      expiresAt: Number(approval.expiresAt),
    },
  };
}
