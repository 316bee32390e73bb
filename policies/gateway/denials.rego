# What is refused whoever asks, and whatever else would grant it: each rule with an id of its own.
package gateway.denials

import data.gateway.action
import data.gateway.vocabulary

rules contains "deny.unknown-target" if not data.targets[input.session.target]

rules contains "deny.unknown-role" if {
	data.targets[input.session.target]
	not role_exists
}

role_exists if input.session.role in data.targets[input.session.target].roles

rules contains "deny.unknown-verb" if action.verbs - vocabulary.verbs != set()

rules contains "deny.unknown-risk" if action.risks - vocabulary.risks != set()

rules contains "deny.unknown-object" if input.facts.unknownObjects > 0

rules contains "deny.inconsistent-facts" if {
	verb := vocabulary.verb_of_kind[input.facts.kind]
	not verb in action.verbs
}

rules contains "deny.unparsable" if "unparsable" in action.risks

rules contains "deny.too-large" if "too-large" in action.risks

rules contains "deny.several-statements" if "several-statements" in action.risks

rules contains "deny.several-statements" if input.facts.statements > 1

rules contains "deny.software-install" if "software-install" in action.risks

rules contains "deny.ddl" if "ddl" in action.risks

rules contains "deny.ddl" if "ddl" in action.verbs

rules contains "deny.privilege" if "privilege" in action.risks

rules contains "deny.privilege" if "privilege" in action.verbs

rules contains "deny.role-change" if "role-change" in action.risks

rules contains "deny.settings" if "settings" in action.risks

rules contains "deny.settings" if "settings" in action.verbs

rules contains "deny.program" if "program" in action.risks

rules contains "deny.file" if "file" in action.risks

rules contains "deny.network" if "network" in action.risks

rules contains "deny.large-object" if "large-object" in action.risks

rules contains "deny.copy" if "copy-in" in action.risks

rules contains "deny.copy" if "copy-out" in action.risks

rules contains "deny.dynamic-sql" if "dynamic-sql" in action.risks

rules contains "deny.lock" if "lock" in action.risks

rules contains "deny.sequence" if "sequence" in action.risks

# PREPARE TRANSACTION and its kin outlive the session, so no outcome of theirs could be recorded.
rules contains "deny.transaction" if input.facts.transaction == "other"

rules contains "deny.not-granted" if {
	role_exists
	some verb in (action.verbs & (vocabulary.writes | {"read"}))
	not verb in data.roles[input.session.role].verbs
}

# Facts that name a write to all rows without its verb: the role is asked for any write.
rules contains "deny.not-granted" if {
	role_exists
	"unbounded-write" in action.risks
	every verb in vocabulary.writes { not verb in data.roles[input.session.role].verbs }
}

rules contains "deny.approval-self" if input.approval.approver == input.session.agent

rules contains "deny.approval-self" if input.approval.approver == input.session.onBehalfOf

rules contains "deny.approval-self" if input.approval.approver in input.session.delegation

# An answer from the future, or one that was over before it was given, is no answer.
rules contains "deny.approval-invalid" if input.approval.decidedAt > input.time

rules contains "deny.approval-invalid" if input.approval.expiresAt <= input.approval.decidedAt
