package gateway.data_test

import data.gateway.vocabulary

test_every_role_of_a_target_is_described if {
	every target in data.targets {
		every role in target.roles { data.roles[role] }
	}
}

test_roles_have_known_verbs_only if {
	every role in data.roles {
		every verb in role.verbs { verb in (vocabulary.writes | {"read"}) }
	}
}

# `none` means that no label is touched; a role with it would see labelled columns in clear.
test_every_role_masks if {
	every role in data.roles { role.profile != "none" }
}

test_freeze_windows_begin_before_they_end if {
	every target in data.targets {
		every window in target.freezeWindows { window[0] < window[1] }
	}
}
