# What is allowed, and nothing else. A rule here never outweighs a denial, a freeze window or a step-up.
package gateway.grants

import data.gateway.action
import data.gateway.vocabulary

# An empty message does nothing, and drivers send it to probe a connection.
rules contains "statement.empty" if {
	input.facts.statements == 0
	input.facts.kind == "none"
	input.facts.transaction == null
	action.risks == set()
	action.touches_nothing
}

# A transaction is the agent's own affair; each action in it is decided by itself.
rules contains "transaction.control" if {
	input.facts.statements == 1
	input.facts.kind == "TransactionStmt"
	is_string(input.facts.transaction)
	action.risks == {"transaction"}
	action.touches_nothing
}

# SHOW, or a SELECT or EXPLAIN of constants.
rules contains "statement.touches-nothing" if {
	understood
	action.risks == set()
	action.touches_nothing
}

# `role.reader.read`: one id for each verb. Verbs that the role lacks are denied elsewhere.
rules contains concat(".", ["role", input.session.role, verb]) if {
	understood
	action.risks - {"always-true-predicate", "unbounded-write"} == set()
	some verb in action.verbs
	verb in data.roles[input.session.role].verbs
}

understood if {
	input.facts.statements == 1
	input.facts.kind in vocabulary.kinds[input.facts.protocol]
	input.facts.transaction == null
}
