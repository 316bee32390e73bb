# What a human has to approve first, and what counts as an approval.
package gateway.step_up

import data.gateway.action

rules contains "step_up.unbounded-write" if "unbounded-write" in action.risks

# Analysis may see that a predicate holds for every row without seeing how many rows there are.
rules contains "step_up.always-true-predicate" if {
	"always-true-predicate" in action.risks
	action.writes & {"delete", "merge", "update"} != set()
}

rules contains "step_up.truncate" if "truncate" in action.verbs

rules contains "step_up.merge" if "merge" in action.verbs

# Who approved is judged by gateway.denials. An approval that is over asks anew.
approved if input.time < input.approval.expiresAt
