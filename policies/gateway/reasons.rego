# One sentence for the agent. It never holds anything of the statement.
package gateway.reasons

import data.gateway.calendar
import data.gateway.denials
import data.gateway.freeze
import data.gateway.step_up

# In order of precedence: where several rules refuse, the first of them here is told.
refusals := [
	["deny.too-large", "The statement is too large to be analysed."],
	["deny.unparsable", "The statement cannot be parsed, so it cannot be judged."],
	["deny.unknown-target", "No policy exists for this target."],
	["deny.unknown-role", "The role does not exist at this target."],
	["deny.unknown-verb", "The statement does something that policy has no word for."],
	["deny.unknown-risk", "The statement carries a risk that policy has no word for."],
	["deny.inconsistent-facts", "The facts of the statement contradict one another, so it cannot be judged."],
	["deny.several-statements", "Send one statement at a time: each is decided by itself."],
	["deny.software-install", "Agents may not install software at a target."],
	["deny.program", "Agents may not run programs on a target's server."],
	["deny.file", "Agents may not touch the file system of a target's server."],
	["deny.network", "Agents may not let a target connect to other servers."],
	["deny.role-change", "Agents may not become another role: the grant fixes it."],
	["deny.privilege", "Agents may not change privileges or roles, or end other sessions."],
	["deny.large-object", "Agents may not use large objects: masking cannot see into them."],
	["deny.dynamic-sql", "What would run is not in the statement, so it cannot be judged; send that statement itself."],
	["deny.copy", "COPY goes around masking; use SELECT or INSERT."],
	["deny.ddl", "Agents may not change the structure of a target."],
	["deny.settings", "Agents may not change settings: masking and recording depend on them."],
	["deny.lock", "Agents may not take locks on purpose."],
	["deny.sequence", "Agents may not advance or set sequences directly."],
	["deny.transaction", "Prepared transactions outlive the session, so their outcome could not be recorded."],
	["deny.unknown-object", "It names an object, an operation or a parameter that the target's catalogue lacks."],
	["deny.approval-self", "The approver is the requester; another person has to approve."],
	["deny.approval-invalid", "The times of the approval are not possible."],
	["deny.not-granted", "The role may not do this; ask for a grant in a role that may."],
]

deny := "The input of the decision is malformed, so nothing is allowed." if not data.gateway.shape.valid

else := [sentence | some [rule, sentence] in refusals; rule in denials.rules][0] if count(denials.rules) > 0

else := "Policy allows only what it names, and it does not name this."

defer := concat("", ["The target takes no writes until ", calendar.rfc3339(freeze.until), "; try again then."])

step_up := [sentence |
	some [rule, sentence] in [
		["step_up.truncate", "Emptying a table needs the approval of another person first."],
		["step_up.merge", "A merge needs the approval of another person first."],
		["step_up.unbounded-write", "A write to all rows needs the approval of another person first."],
		["step_up.always-true-predicate", "A write whose condition holds for every row needs the approval of another person first."],
	]
	rule in step_up.rules
][0]

modify := "The role may do this; labelled columns are masked."

allow := "The role may do this."
