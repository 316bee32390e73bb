# METADATA
# description: |
#   One decision for one action. Pure: everything it depends on is in the input or in the data of this bundle.
#   Precedence: deny, defer, step_up, modify, allow. Whatever nothing grants is denied.
package gateway

import data.gateway.denials
import data.gateway.freeze
import data.gateway.grants
import data.gateway.reasons
import data.gateway.shape
import data.gateway.step_up

# Stands wherever a part below has no value, so that a gap in the rules refuses.
default decision := {
	"verdict": "deny",
	"rules": ["default.deny"],
	"reason": "Policy allows only what it names, and it does not name this.",
	"obligations": null,
}

# METADATA
# entrypoint: true
decision := {
	"verdict": verdict,
	"rules": rules[verdict],
	"reason": reasons[verdict],
	"obligations": obligations[verdict],
}

# Only constants here: a branch without a value would fall through to a milder one.
verdict := "deny" if refused

else := "defer" if count(freeze.rules) > 0

else := "step_up" if held

else := "modify" if input.facts.labels != []

else := "allow"

refused if not shape.valid

refused if count(denials.rules) > 0

refused if count(grants.rules) == 0

held if {
	count(step_up.rules) > 0
	not step_up.approved
}

rules["deny"] := ["deny.malformed-input"] if not shape.valid

rules["deny"] := sort(denials.rules) if {
	shape.valid
	count(denials.rules) > 0
}

rules["defer"] := sort(freeze.rules)

rules["step_up"] := sort(step_up.rules)

rules["modify"] := granted

rules["allow"] := granted

granted := sort(grants.rules | {"approval.valid" | count(step_up.rules) > 0})

obligations["deny"] := null

obligations["defer"] := null

obligations["step_up"] := role_obligations

obligations["modify"] := role_obligations

obligations["allow"] := role_obligations

role_obligations := {
	"profile": profile,
	"lookups": sort(role.lookups),
	"rowLimit": role.rowLimit,
	"timeLimitSeconds": role.timeLimitSeconds,
}

role := data.roles[input.session.role]

# Where no label is touched there is nothing to mask.
profile := "none" if input.facts.labels == []

else := role.profile
