# Whether the input is exactly a PolicyInput (libs/contracts). All rules beside rely on this one: a comparison with a
# field that is missing is undefined, and a rule that should refuse would not.
package gateway.shape

import data.gateway.vocabulary

valid if {
	object.keys(input) == {"approval", "facts", "session", "time", "version"}
	input.version == 1
	whole(input.time)
	session
	facts
	approval
}

session if {
	object.keys(input.session) == {
		"agent",
		"delegation",
		"grant",
		"onBehalfOf",
		"protocol",
		"role",
		"session",
		"target",
	}
	text(input.session.agent)
	texts(input.session.delegation)
	text(input.session.grant)
	text(input.session.onBehalfOf)
	input.session.protocol in vocabulary.protocols
	text(input.session.role)
	text(input.session.session)
	text(input.session.target)
}

facts if {
	object.keys(input.facts) == {
		"kind",
		"labels",
		"objects",
		"parameters",
		"protocol",
		"risks",
		"statements",
		"transaction",
		"unknownObjects",
		"verbs",
		"version",
	}
	input.facts.version == 1
	input.facts.protocol == input.session.protocol
	whole(input.facts.statements)
	text(input.facts.kind)
	transaction(input.facts.transaction)
	texts(input.facts.verbs)
	texts(input.facts.risks)
	is_array(input.facts.objects)
	every item in input.facts.objects { object_fact(item) }
	whole(input.facts.unknownObjects)
	is_array(input.facts.labels)
	every label in input.facts.labels { label_fact(label) }
	object.keys(input.facts.parameters) == {"count"}
	whole(input.facts.parameters.count)
}

approval if input.approval == null

approval if {
	object.keys(input.approval) == {"approver", "decidedAt", "expiresAt", "id"}
	text(input.approval.approver)
	whole(input.approval.decidedAt)
	whole(input.approval.expiresAt)
	text(input.approval.id)
}

transaction(value) if value == null

transaction(value) if value in vocabulary.transactions

object_fact(item) if {
	object.keys(item) == {"kind", "name", "verbs"}
	text(item.name)
	item.kind in vocabulary.object_kinds
	texts(item.verbs)
}

label_fact(label) if {
	object.keys(label) == {"column", "label", "uses"}
	text(label.label)
	text(label.column)
	texts(label.uses)
	every use in label.uses { use in vocabulary.label_uses }
}

text(value) if {
	is_string(value)
	value != ""
}

texts(values) if {
	is_array(values)
	every value in values { text(value) }
}

whole(value) if {
	is_number(value)
	value >= 0
	floor(value) == value
}
