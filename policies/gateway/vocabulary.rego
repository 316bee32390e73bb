# The closed vocabulary of facts. What is not in it is refused: a word of tomorrow must not pass as a word of today.
package gateway.vocabulary

protocols := {"http", "postgresql"}

verbs := {"ddl", "delete", "insert", "merge", "privilege", "read", "settings", "truncate", "update"}

# Verbs that change rows: what a freeze window defers.
writes := {"delete", "insert", "merge", "truncate", "update"}

risks := {
	"always-true-predicate",
	"copy-in",
	"copy-out",
	"ddl",
	"dynamic-sql",
	"file",
	"large-object",
	"lock",
	"network",
	"privilege",
	"program",
	"role-change",
	"sequence",
	"settings",
	"several-statements",
	"software-install",
	"too-large",
	"transaction",
	"unbounded-write",
	"unparsable",
}

object_kinds := {"function", "materialized-view", "other", "resource", "schema", "sequence", "table", "type", "view"}

label_uses := {"other", "output", "predicate", "write"}

transactions := {"begin", "commit", "other", "release", "rollback", "rollback-to", "savepoint"}

# What may be granted at all: node tags of PostgreSQL's grammar, methods of HTTP. Facts describe what a statement of
# another kind touches, but nobody has thought through what it does beside that.
kinds := {
	"http": {"DELETE", "GET", "PATCH", "POST", "PUT"},
	"postgresql": {
		"DeleteStmt",
		"ExplainStmt",
		"InsertStmt",
		"MergeStmt",
		"SelectStmt",
		"TruncateStmt",
		"UpdateStmt",
		"VariableShowStmt",
	},
}

# Kinds of which facts always name a verb. A write that analysis took for a read shows here.
verb_of_kind := {
	"DeleteStmt": "delete",
	"InsertStmt": "insert",
	"MergeStmt": "merge",
	"TruncateStmt": "truncate",
	"UpdateStmt": "update",
}
