# What the rules read of an action. Assumes a well-formed input (gateway.shape).
package gateway.action

import data.gateway.vocabulary

risks := {risk | some risk in input.facts.risks}

# What is done to any object counts, even where analysis did not sum it up.
verbs := {verb | some verb in input.facts.verbs} | {verb |
	some item in input.facts.objects
	some verb in item.verbs
}

writes := verbs & vocabulary.writes

# Neither reads, writes nor names anything.
touches_nothing if {
	verbs == set()
	input.facts.objects == []
	input.facts.labels == []
}
