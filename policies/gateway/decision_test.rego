package gateway_test

import data.gateway

reading := {
	"version": 1,
	"time": 1767225600,
	"session": {
		"session": "session-1",
		"agent": "agent-1",
		"onBehalfOf": "person-1",
		"delegation": [],
		"grant": "grant-1",
		"role": "reader",
		"target": "shop",
		"protocol": "postgresql",
	},
	"facts": {
		"version": 1,
		"protocol": "postgresql",
		"statements": 1,
		"kind": "SelectStmt",
		"transaction": null,
		"verbs": ["read"],
		"risks": [],
		"objects": [],
		"unknownObjects": 0,
		"labels": [],
		"parameters": {"count": 0},
	},
	"approval": null,
}

test_a_plain_read_is_allowed if {
	gateway.decision.verdict == "allow" with input as reading
}

test_no_input_is_denied if {
	gateway.decision.rules == ["deny.malformed-input"] with input as {}
}

test_an_undefined_input_is_denied if gateway.decision.rules == ["deny.malformed-input"]

# Whatever a role lacks in the data, nothing is allowed for want of it.
test_a_role_without_data_is_denied if {
	gateway.decision.verdict == "deny" with input as reading
		with data.roles as {}
}

test_a_role_without_a_limit_is_denied if {
	gateway.decision == {
		"verdict": "deny",
		"rules": ["default.deny"],
		"reason": "Policy allows only what it names, and it does not name this.",
		"obligations": null,
	} with input as reading
		with data.roles.reader as object.remove(data.roles.reader, ["rowLimit"])
}

test_a_role_without_a_profile_reads_no_label if {
	label := {"label": "contact.email", "column": "shop.customers.email", "uses": ["output"]}
	patched := object.union(reading, {"facts": {"labels": [label]}})
	gateway.decision.rules == ["default.deny"] with input as patched
		with data.roles.reader as object.remove(data.roles.reader, ["profile"])
}

test_a_target_without_data_is_denied if {
	gateway.decision.rules == ["deny.unknown-target"] with input as reading
		with data.targets as {}
}
