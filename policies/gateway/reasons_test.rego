package gateway.reasons_test

import data.gateway.denials
import data.gateway.reasons
import data.gateway.vocabulary

# An action with every risk and verb there is, and none of what it needs.
worst := {
	"time": 1,
	"session": {
		"agent": "agent-1",
		"onBehalfOf": "agent-1",
		"delegation": ["agent-1"],
		"role": "nobody",
		"target": "shop",
	},
	"facts": {
		"statements": 2,
		"kind": "DeleteStmt",
		"transaction": "other",
		"verbs": ["ddl", "privilege", "read", "settings", "teleport"],
		"risks": array.concat([risk | some risk in vocabulary.risks], ["teleport"]),
		"objects": [],
		"unknownObjects": 1,
		"labels": [],
	},
	"approval": {"approver": "agent-1", "decidedAt": 2, "expiresAt": 2},
}

told := {rule | some [rule, _] in reasons.refusals}

test_every_refusal_has_a_sentence if {
	held := denials.rules with input as worst
	held - told == set()
}

test_no_sentence_is_left_over if {
	held := denials.rules with input as worst
	told - held == {"deny.not-granted", "deny.unknown-target"}
}

test_no_rule_has_two_sentences if count(told) == count(reasons.refusals)

test_sentences_are_sentences if {
	every pair in reasons.refusals { regex.match(`^[A-Z][^.]*\.$`, pair[1]) }
}
